use super::*;

fn disk() -> SimDisk {
    let disk = SimDisk::new(Rng::with_seed(1));
    disk.make_dir(Path::new("/d")).unwrap();
    disk
}

#[test]
fn what_is_synced_stays_and_what_is_not_may_go_by_sectors() {
    let disk = disk();
    let path = Path::new("/d/file");
    let file = disk.open(path, How::Create).unwrap();
    file.write_all_at(&[1; 4096], 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(Path::new("/d")).unwrap();
    file.write_all_at(&[2; 4096], 0).unwrap();
    disk.restart(End::Killed);
    assert_eq!(disk.read(path).unwrap(), [2; 4096], "the system's cache outlives the process");
    assert!(file.length().is_err(), "its handles do not");
    disk.restart(End::PowerFailed);
    let left = disk.read(path).unwrap();
    assert!(left.contains(&1) && left.contains(&2), "some sectors are kept, others not");
    assert!(left.iter().all(|byte| [1, 2].contains(byte)));
}

#[test]
fn a_name_stays_once_its_folder_is_synced() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..40 {
        let disk = disk().copy(Rng::with_seed(seed));
        disk.open(Path::new("/d/one"), How::Create).unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.rename(Path::new("/d/one"), Path::new("/d/two")).unwrap();
        disk.restart(End::PowerFailed);
        match disk.names(Path::new("/d")).unwrap()[..] {
            [ref name] if name == "one" => lost += 1,
            [ref name] if name == "two" => kept += 1,
            ref other => panic!("{other:?}"),
        }
    }
    assert!(kept > 5 && lost > 5, "{kept} {lost}");
}

#[test]
fn after_a_failed_sync_the_next_one_proves_nothing() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..60 {
        let disk = disk().copy(Rng::with_seed(seed));
        let path = Path::new("/d/file");
        let file = disk.open(path, How::Create).unwrap();
        file.write_all_at(&[1; SECTOR], 0).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        file.write_all_at(&[2; SECTOR], 0).unwrap();
        disk.set_faults(Faults { sync: 10_000, ..Faults::default() });
        file.sync_data().unwrap_err();
        disk.set_faults(Faults::default());
        file.sync_data().unwrap();
        let before = disk.read(path).unwrap()[0];
        disk.restart(End::PowerFailed);
        outcomes.insert((before, disk.read(path).unwrap()[0]));
    }
    assert_eq!(outcomes, BTreeSet::from([(1, 1), (2, 1), (2, 2)]));
}

#[test]
fn a_full_disk_takes_only_what_has_its_place() {
    let disk = disk();
    let file = disk.open(Path::new("/d/file"), How::Create).unwrap();
    file.write_all_at(&[1; 100], 0).unwrap();
    disk.set_faults(Faults { full: true, ..Faults::default() });
    file.write_all_at(&[2; 100], 0).unwrap();
    assert_eq!(file.write_all_at(&[3; 10], 95).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.open(Path::new("/d/b"), How::Create).err().unwrap().kind(), io::ErrorKind::StorageFull);
}
