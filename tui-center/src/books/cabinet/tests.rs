use super::*;

const SERVICE: [u8; 32] = [21; 32];
const SECRET: &[u8] = b"Ada Lovelace, 12 St James's Square, ada@example.org";

fn person(salt: u8) -> (Digest, Salt) {
    let salt = Salt([salt; 32]);
    (particulars_hash(&salt, SECRET), salt)
}

/// Every file of a folder, with its bytes.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files
}

#[test]
fn what_is_kept_is_given_back_and_nothing_lies_open() {
    let dir = tempfile::tempdir().unwrap();
    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    let (digest, salt) = person(1);
    let telegram = crate::books::sample::telegram();
    cabinet.put_person(digest, &salt, SECRET).unwrap();
    cabinet.put_person(digest, &salt, SECRET).unwrap();
    cabinet.put_outward("pain.001-000012.xml", SECRET).unwrap();
    cabinet.put_note(digest, "from Ada Lovelace").unwrap();
    cabinet.put_certificate(Certificate::Sheet(1), &telegram).unwrap();
    let member = AccountNumber::Member(MemberNumber(3));
    cabinet.set_cursor(member, EntryNumber(4)).unwrap();
    cabinet.set_cursor(member, EntryNumber(9)).unwrap();
    drop(cabinet);

    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    assert_eq!(cabinet.person(digest).unwrap().unwrap().bytes.as_slice(), SECRET);
    assert_eq!(cabinet.outward("pain.001-000012.xml").unwrap().unwrap().as_slice(), SECRET);
    assert_eq!(cabinet.outward_names().unwrap(), ["pain.001-000012.xml"]);
    assert_eq!(cabinet.note(digest).unwrap().unwrap().as_str(), "from Ada Lovelace");
    assert_eq!(cabinet.certificate(Certificate::Sheet(1)).unwrap().unwrap(), telegram);
    assert_eq!(cabinet.certificate(Certificate::Sheet(2)).unwrap(), None);
    assert_eq!(cabinet.cursors().unwrap(), BTreeMap::from([(member, EntryNumber(9))]));
    assert!(cabinet.spoilt().unwrap().is_empty());
    for (path, bytes) in files(dir.path()) {
        for word in [&b"Ada"[..], b"example.org", &telegram.bytes, &SERVICE] {
            assert!(!bytes.windows(word.len()).any(|window| window == word), "{} lies open", path.display());
        }
    }
}

#[test]
fn every_changed_bit_another_name_and_another_key_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    let (digest, salt) = person(1);
    cabinet.put_person(digest, &salt, SECRET).unwrap();
    for (path, bytes) in files(dir.path()) {
        for bit in (0..bytes.len() * 8).step_by(3) {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, wrong).unwrap();
            assert!(cabinet.person(digest).is_err(), "{}: bit {bit}", path.display());
        }
        fs::write(path, bytes).unwrap();
    }
    let (other, other_salt) = person(2);
    cabinet.put_person(other, &other_salt, SECRET).unwrap();
    for drawer in ["people", "keys"] {
        let path = |digest: Digest| dir.path().join(drawer).join(digest.to_string());
        fs::copy(path(digest), path(other)).unwrap();
    }
    assert!(cabinet.person(other).is_err(), "one person's file under another's name");
    let stranger = Cabinet::open(dir.path(), &[22; 32]).unwrap();
    let words = stranger.person(digest).err().unwrap().to_string();
    assert!(words.contains("can't be opened"), "{words}");
}

#[test]
fn erasing_leaves_the_hash_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    let (digest, salt) = person(1);
    assert_eq!(cabinet.standing(digest).unwrap(), Standing::Missing);
    cabinet.put_person(digest, &salt, SECRET).unwrap();
    let people = dir.path().join("people").join(digest.to_string());
    let copy = fs::read(&people).unwrap();
    assert_eq!(cabinet.standing(digest).unwrap(), Standing::Kept);
    cabinet.erase_person(digest).unwrap();
    cabinet.erase_person(digest).unwrap();
    assert_eq!(cabinet.standing(digest).unwrap(), Standing::Erased);
    fs::write(&people, copy).unwrap();
    assert!(cabinet.person(digest).unwrap().is_none(), "a copy of the sealed bytes brings nobody back");
    assert!(cabinet.put_person(digest, &salt, SECRET).is_err());
}

#[test]
fn what_does_not_belong_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    let (digest, salt) = person(1);
    assert!(cabinet.put_person(digest, &salt, b"somebody else").is_err());
    for name in ["", "../keys/x", "a/b", ".hidden", "ä", &"x".repeat(200)] {
        assert!(cabinet.put_outward(name, b"x").is_err(), "{name}");
    }
    cabinet.put_outward("a.xml", b"x").unwrap();
    cabinet.put_outward("a.xml", b"x").unwrap();
    assert!(cabinet.put_outward("a.xml", b"y").is_err(), "what goes out twice is identical");
    cabinet.confirm_outward("a.xml").unwrap();
    cabinet.confirm_outward("a.xml").unwrap();
    assert_eq!(cabinet.outward("a.xml").unwrap(), None);
    let words = cabinet.put_note(digest, &"x".repeat(limits::PROSE + 1)).unwrap_err().to_string();
    assert!(words.contains("at most 8000 fit"), "{words}");
}

#[test]
fn half_written_files_are_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    drop(Cabinet::open(dir.path(), &SERVICE).unwrap());
    for drawer in ["people", "outward"] {
        fs::write(dir.path().join(drawer).join(".new-0123"), b"half").unwrap();
    }
    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    assert!(files(dir.path()).is_empty());
    assert!(cabinet.outward_names().unwrap().is_empty());
}

#[test]
fn what_died_while_it_was_destroyed_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let cabinet = Cabinet::open(dir.path(), &SERVICE).unwrap();
    cabinet.put_outward("mail-T-12.eml", SECRET).unwrap();
    let path = dir.path().join("outward/mail-T-12.eml");
    let zeros = vec![0; fs::read(&path).unwrap().len()];
    fs::write(&path, zeros).unwrap();
    assert!(cabinet.outward("mail-T-12.eml").unwrap().is_none());
    assert!(cabinet.spoilt().unwrap().is_empty());
    cabinet.put_outward("mail-T-12.eml", SECRET).unwrap();
    assert_eq!(cabinet.outward("mail-T-12.eml").unwrap().unwrap().as_slice(), SECRET);
    fs::write(&path, b"").unwrap();
    assert!(cabinet.outward("mail-T-12.eml").is_err(), "an empty file was never written by destroying");
}
