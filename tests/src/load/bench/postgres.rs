//! PostgreSQL doing the same without signatures, TLS or receipts: a debit and an insert in one statement.
//!
//! The cluster is a fresh one in a folder of its own, reached over a Unix socket, with `fsync` and `synchronous_commit` on and
//! more memory than it asks for. It is fed by `pgbench`, the database's own load generator. The tables are kinder to
//! it than an honest ledger would be: no unique telegram ids, no evidence, room for updates in place.

use std::{
    env, fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use color_eyre::eyre::{Context as _, Result, bail, ensure, eyre};
use tempfile::TempDir;

/// Clients at one time in the one-statement run.
const CLIENTS: u32 = 64;
/// Clients that feed groups.
const FEEDERS: u32 = 8;
/// Payments of one group: as many as one connection of the center has unanswered.
pub const GROUP: usize = 64;
/// Where its folder is made: on a disk, and open to the user that it runs as.
const ROOM: &str = "/var/tmp";

const TABLES: &str = "
CREATE TABLE cards (card int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 50);
CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    card int NOT NULL,
    store int NOT NULL,
    amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now());
INSERT INTO cards SELECT card, 1000000000 FROM generate_series(1, 100000) AS card;
CREATE FUNCTION pay_group(cards_asked int[], stores_asked int[], amounts_asked bigint[]) RETURNS bigint LANGUAGE sql AS $$
    WITH asked AS (SELECT * FROM unnest(cards_asked, stores_asked, amounts_asked) AS it(card, store, amount)),
    sums AS (SELECT card, sum(amount)::bigint AS amount FROM asked GROUP BY card),
    held AS MATERIALIZED (
        SELECT cards.card FROM cards JOIN sums USING (card) ORDER BY cards.card FOR UPDATE OF cards),
    debit AS (
        UPDATE cards SET balance = cards.balance - sums.amount FROM sums JOIN held USING (card)
        WHERE cards.card = sums.card AND cards.balance >= sums.amount RETURNING cards.card),
    kept AS (
        INSERT INTO payments (card, store, amount)
        SELECT asked.card, asked.store, asked.amount FROM asked JOIN debit USING (card) RETURNING 1)
    SELECT count(*) FROM kept
$$;
VACUUM ANALYZE cards;
CHECKPOINT;
";

const ONE: &str = "\\set card random(1, 100000)
\\set store random_zipfian(1, 1000, 1.001)
\\set amount random(1, 100)
WITH debit AS (UPDATE cards SET balance = balance - :amount WHERE card = :card AND balance >= :amount RETURNING card) \
INSERT INTO payments (card, store, amount) SELECT card, (:store)::int, (:amount)::bigint FROM debit;
";

/// A running cluster. It is stopped and removed when this is dropped.
pub struct Cluster {
    dir: TempDir,
    programs: Programs,
    user: Option<(u32, u32)>,
}

/// Where PostgreSQL's programs lie.
struct Programs {
    initdb: PathBuf,
    pg_ctl: PathBuf,
    pgbench: PathBuf,
    psql: PathBuf,
}

impl Cluster {
    /// Makes and starts a cluster.
    ///
    /// # Errors
    /// In words, when PostgreSQL is not there or does not start: its rows can't be measured then.
    pub fn start() -> Result<Self> {
        let programs = Programs::find()?;
        let dir = tempfile::Builder::new().prefix("inkan-bench-postgres-").tempdir_in(ROOM)?;
        let user = if rustix::process::geteuid().is_root() { Some(unprivileged()?) } else { None };
        if let Some((uid, gid)) = user {
            chown(dir.path(), Some(uid), Some(gid))?;
        }
        let cluster = Self { dir, programs, user };
        let data = cluster.data();
        let mut initdb = cluster.command(&cluster.programs.initdb);
        initdb
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "-D",
            ])
            .arg(&data);
        done(initdb)?;
        let settings = format!(
            "-k {} -c listen_addresses= -c fsync=on -c synchronous_commit=on -c max_connections={} -c shared_buffers=512MB \
             -c max_wal_size=8GB -c checkpoint_timeout=30min -c autovacuum=off",
            cluster.dir.path().display(),
            CLIENTS + 16
        );
        let mut start = cluster.command(&cluster.programs.pg_ctl);
        start
            .args(["-w", "-t", "60", "-o", &settings, "-l"])
            .arg(cluster.dir.path().join("log"))
            .arg("-D")
            .arg(&data);
        // The server would keep a pipe of its standard output open for as long as it lives.
        let started = start.arg("start").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(started.success(), "PostgreSQL does not start: {}", cluster.log());
        cluster.file("tables.sql", TABLES)?;
        cluster.file("one.sql", ONE)?;
        cluster.file("group.sql", &group())?;
        let mut psql = cluster.client(&cluster.programs.psql);
        psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f"])
            .arg(cluster.dir.path().join("tables.sql"));
        done(psql)?;
        Ok(cluster)
    }

    /// Payments a second of 64 clients, one statement each.
    pub fn one_statement(&self, seconds: u32) -> Result<f64> {
        self.bench("one.sql", CLIENTS, seconds)
    }

    /// Payments a second, fed in groups of [`GROUP`] through one stored function.
    pub fn groups(&self, seconds: u32) -> Result<f64> {
        Ok(self.bench("group.sql", FEEDERS, seconds)? * GROUP as f64)
    }

    fn bench(&self, script: &str, clients: u32, seconds: u32) -> Result<f64> {
        let mut pgbench = self.client(&self.programs.pgbench);
        let threads = super::super::cores().to_string();
        pgbench.args([
            "-n",
            "-M",
            "prepared",
            "-c",
            &clients.to_string(),
            "-j",
            &threads,
            "-T",
            &seconds.to_string(),
            "-f",
        ]);
        pgbench.arg(self.dir.path().join(script)).arg("postgres");
        let told = done(pgbench)?;
        let figure = |name: &str| told.lines().find_map(|line| line.strip_prefix(name));
        if let Some(failed) = figure("number of failed transactions: ") {
            ensure!(failed.starts_with("0 "), "PostgreSQL failed transactions: {failed}");
        }
        let tps = figure("tps = ").and_then(|line| line.split_whitespace().next()?.parse().ok());
        tps.ok_or_else(|| eyre!("pgbench told no figure: {told}"))
    }

    fn file(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.dir.path().join(name), text)?)
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        log.lines().last().unwrap_or_default().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A program that runs as the cluster's user.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid).env("HOME", self.dir.path());
        }
        command
    }

    /// A client of the cluster.
    fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).arg("-h").arg(self.dir.path()).args(["-U", "postgres"]);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = self.command(&self.programs.pg_ctl);
        stop.args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop");
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Programs {
    /// On the path, or where Debian and its kin put each version.
    fn find() -> Result<Self> {
        let mut folders: Vec<PathBuf> =
            env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
        let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .map(|it| it.path().join("bin"))
            .collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
        let find = |name: &str| {
            let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
            found.ok_or_else(|| eyre!("PostgreSQL's {name} is not on this machine"))
        };
        Ok(Self {
            initdb: find("initdb")?,
            pg_ctl: find("pg_ctl")?,
            pgbench: find("pgbench")?,
            psql: find("psql")?,
        })
    }
}

/// PostgreSQL refuses to run as root: whom it runs as instead.
fn unprivileged() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    ids("postgres")
        .or_else(|| ids("nobody"))
        .ok_or_else(|| eyre!("there is no user that PostgreSQL could run as"))
}

/// Runs a command to its end and gives what it told.
fn done(mut command: Command) -> Result<String> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let output = command.output().wrap_err_with(|| format!("starting {shown}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{shown} ended with {}: {}", output.status, words.lines().last().unwrap_or_default());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The script that pays a group at once.
fn group() -> String {
    let mut script = String::new();
    for at in 0..GROUP {
        script.push_str(&format!(
            "\\set c{at} random(1, 100000)\n\\set s{at} random_zipfian(1, 1000, 1.001)\n\\set a{at} random(1, 100)\n"
        ));
    }
    let list = |letter: char, of: &str| {
        let names: Vec<String> = (0..GROUP).map(|at| format!("(:{letter}{at})::{of}")).collect();
        format!("ARRAY[{}]", names.join(","))
    };
    script.push_str(&format!(
        "SELECT pay_group({}, {}, {});\n",
        list('c', "int"),
        list('s', "int"),
        list('a', "bigint")
    ));
    script
}
