//! What the kernel counts: processor time, memory, the load that others put on the machine.

use std::{
    fs,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Context as _, Result, eyre};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

use super::cores;

/// The kernel counts processes' time in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Processor time that a process has used, in steps of ten milliseconds.
///
/// # Errors
/// When there is no such process any more.
pub fn cpu_of(pid: u32) -> Result<Duration> {
    let stat =
        fs::read_to_string(format!("/proc/{pid}/stat")).wrap_err_with(|| format!("process {pid} is gone"))?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th behind it.
    let times = stat.rsplit_once(')').map(|(_, after)| after.split_whitespace().skip(11));
    let mut times = times.into_iter().flatten().map_while(|ticks| ticks.parse::<u32>().ok());
    match (times.next(), times.next()) {
        (Some(user), Some(system)) => Ok(TICK * (user + system)),
        _ => Err(eyre!("/proc/{pid}/stat is not of the known form")),
    }
}

/// Processor time that this process has used.
pub fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Memory of a process that is in use, in bytes.
///
/// # Errors
/// When there is no such process any more.
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| eyre!("/proc/{pid}/status does not tell its memory"))
}

/// Lets this process, and those that it starts, have as many open files as the system allows; says how many.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Where it is not allowed the limit stays, and who needs more says so.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Who used the processors in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// How long it was, in seconds.
    pub seconds: f64,
    /// The center's processor time, in seconds.
    pub center: f64,
    /// This generator's.
    pub own: f64,
    /// Everybody else's, as a share of all processors.
    pub foreign: f64,
}

/// Watches the processors from its making on.
#[derive(Debug)]
pub struct Watch {
    center: Option<u32>,
    since: Instant,
    center_before: Duration,
    own_before: Duration,
    busy_before: Duration,
}

impl Watch {
    /// Begins, beside a center's process where there is one.
    pub fn begin(center: Option<u32>) -> Self {
        Self {
            center,
            since: Instant::now(),
            center_before: center.and_then(|pid| cpu_of(pid).ok()).unwrap_or_default(),
            own_before: own_cpu(),
            busy_before: busy(),
        }
    }

    /// What has been used since.
    pub fn usage(&self) -> Usage {
        let seconds = self.since.elapsed().as_secs_f64();
        let center = self.center.and_then(|pid| cpu_of(pid).ok()).unwrap_or_default();
        let center = center.saturating_sub(self.center_before).as_secs_f64();
        let own = own_cpu().saturating_sub(self.own_before).as_secs_f64();
        let busy = busy().saturating_sub(self.busy_before).as_secs_f64();
        let foreign = ((busy - center - own) / (seconds * cores() as f64)).clamp(0.0, 1.0);
        Usage { seconds, center, own, foreign }
    }
}

/// Time that all processors together have been busy.
fn busy() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let times: Vec<u64> = line.split_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guests are in user already.
    let ticks: u64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|at| times.get(*at)).sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_computes_and_has_memory() {
        let watch = Watch::begin(Some(std::process::id()));
        let mut sum = 0_u64;
        while own_cpu().saturating_sub(watch.own_before) < Duration::from_millis(30) {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        let usage = watch.usage();
        assert!(sum > 0 && usage.own >= 0.03 && usage.seconds >= 0.02, "{usage:?}");
        assert!(usage.center > 0.0 && usage.center <= usage.own + 0.05, "{usage:?}");
        assert!(resident(std::process::id()).unwrap() > 1 << 20);
        assert!(cpu_of(u32::MAX).is_err());
    }
}
