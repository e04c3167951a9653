//! Printing with real programs.

use std::fs;

use wire::{id::EntryNumber, time::Timestamp};
use zeroize::Zeroizing;

use super::*;
use crate::lines::postman::Kind;

fn outgoing() -> Outgoing {
    Outgoing {
        kind: Kind::Letter,
        entry: EntryNumber(3),
        at: Timestamp(1_795_000_000_000),
        to: "Ada Lovelace".into(),
        // More than a pipe holds, so that a program that does not read is noticed.
        bytes: Zeroizing::new(vec![b'%'; 200_000]),
    }
}

async fn print(script: &str, timeout_s: u64) -> Result<String, Trouble> {
    let post = config::Post {
        print_command: ["sh", "-c", script].map(String::from).to_vec(),
        timeout_s,
        ..config::Post::default()
    };
    let printer = Printer::open(&post, Path::new("/nowhere")).unwrap().unwrap();
    printer.carry(&outgoing()).await
}

#[tokio::test]
async fn a_command_gets_the_bytes_and_its_exit_code_counts() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.pdf");
    print(&format!("cat > {}", out.display()), 30).await.unwrap();
    assert_eq!(fs::read(&out).unwrap().len(), 200_000);
    let refused =
        print("cat > /dev/null; echo; echo 'lp: no such printer' >&2; echo more >&2; exit 3", 30).await;
    assert_eq!(refused, Err(Trouble::Later("the print command sh ended with 3: lp: no such printer".into())));
    let refused = print("exit 1", 30).await;
    assert!(
        matches!(&refused, Err(Trouble::Later(words)) if words.ends_with("it gave no reason")),
        "{refused:?}"
    );
    print("exit 0", 30).await.unwrap();
    print("cat > /dev/null; head -c 300000 /dev/zero >&2", 30).await.unwrap();
}

#[tokio::test]
async fn a_command_that_hangs_or_is_missing_is_told() {
    let hung = print("exec sleep 600", 1).await;
    assert!(matches!(&hung, Err(Trouble::Line(words)) if words.contains("within 1 seconds")), "{hung:?}");
    let post = config::Post {
        print_command: vec!["/no/such/printer".into()],
        timeout_s: 5,
        ..config::Post::default()
    };
    let printer = Printer::open(&post, Path::new("/nowhere")).unwrap().unwrap();
    let missing = printer.carry(&outgoing()).await;
    assert!(
        matches!(&missing, Err(Trouble::Line(words)) if words.contains("cannot be started")),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_folder_gets_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("letters");
    let post = config::Post { folder: Some(folder.clone()), ..config::Post::default() };
    let printer = Printer::open(&post, &dir.path().join("data")).unwrap().unwrap();
    printer.carry(&outgoing()).await.unwrap();
    printer.carry(&outgoing()).await.unwrap();
    assert_eq!(fs::read(folder.join(outgoing().name())).unwrap().len(), 200_000);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    fs::remove_dir_all(&folder).unwrap();
    let gone = printer.carry(&outgoing()).await;
    assert!(matches!(&gone, Err(Trouble::Line(words)) if words.contains("cannot be written")), "{gone:?}");
    assert!(Printer::open(&config::Post::default(), dir.path()).unwrap().is_none());
    assert!(Printer::open(&post, dir.path()).err().unwrap().contains("data directory"));
}
