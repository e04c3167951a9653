//! Rot: a byte that turned, a file that is gone.

use super::*;

/// Where each batch and each record begins: file, byte, and the number of the entry.
fn places(house: &House) -> Vec<(std::path::PathBuf, usize, EntryNumber)> {
    let mut places = Vec::new();
    let beginning = segment::beginning(&house.center.sheet.log_origin);
    let journal = house.books().join("journal");
    chain::follow(&RealDisk, &journal, beginning, &|_| true, &mut |link| {
        let file = segment::path(&journal, link.segment);
        for (place, record) in &link.batch.records {
            places.push((file.clone(), link.offset as usize + *place as usize, record.number()));
        }
        Ok(())
    })
    .unwrap();
    places
}

#[test]
fn a_byte_that_turned_in_the_middle_is_refused_with_its_place_and_what_is_good() {
    let house = House::busy();
    let (file, at, number) = places(&house)[9].clone();
    for byte in [at, at + 5, at + 40] {
        flip(&file, byte);
        let (respect, words) = house.first();
        assert_eq!(respect, Respect::Chain);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(words.contains(name) && words.contains("at byte"), "{words}");
        // The batches hold three entries each, the first one four.
        let whole = 4 + (number.0 - 4) / 3 * 3;
        assert!(words.contains(&format!("whole so far: {whole} entries")), "{words}");
        flip(&file, byte);
    }
    assert!(house.look().holds());
}

#[test]
fn a_damaged_head_and_a_missing_segment_are_named() {
    let house = House::busy();
    let journal = house.books().join("journal");
    assert!(segment::numbers(&RealDisk, &journal).unwrap().len() > 2, "several segments");
    flip(&journal.join("000002.seg"), 20);
    let (respect, words) = house.first();
    assert_eq!(respect, Respect::Chain);
    assert!(words.contains("000002.seg at byte 0: the segment's head is not whole"), "{words}");
    flip(&journal.join("000002.seg"), 20);
    fs::remove_file(journal.join("000002.seg")).unwrap();
    let (respect, words) = house.first();
    assert_eq!(respect, Respect::Chain);
    assert!(words.contains("000002.seg") && words.contains("the file is missing"), "{words}");
}

#[test]
fn a_lost_signature_file_is_named() {
    let house = House::busy();
    fs::write(house.books().join("signed"), [7; 8192]).unwrap();
    let (respect, words) = house.first();
    assert_eq!(
        (respect, words.as_str()),
        (Respect::LastSignature, "the file `signed` is missing or damaged")
    );
}

#[test]
fn a_row_of_the_registers_that_is_not_the_journal_s_is_named() {
    let house = House::busy();
    let registers = house.dir.path().join("registers");
    let change = |act: &dyn Fn(&sled::Db)| {
        let db = sled::open(&registers).unwrap();
        act(&db);
        db.flush().unwrap();
    };
    let key = |db: &sled::Db| db.scan_prefix(b"h").next().unwrap().unwrap();
    let (name, row) = key(&sled::open(&registers).unwrap());
    change(&|db| {
        let mut other = row.to_vec();
        let last = other.len() - 1;
        other[last] ^= 1;
        db.insert(&name, other).unwrap();
    });
    let (respect, words) = house.first();
    assert_eq!(respect, Respect::Registers);
    assert!(words.starts_with("the row “entry of M-000001-3” is not what the journal says"), "{words}");
    change(&|db| {
        db.remove(&name).unwrap();
    });
    assert!(house.first().1.starts_with("the row “entry of M-000001-3” is missing"));
    change(&|db| {
        db.insert(&name, row.clone()).unwrap();
        db.insert(b"csecret", b"x").unwrap();
    });
    assert!(house.first().1.starts_with("the row “secret” is in no entry"));
    change(&|db| {
        db.remove(b"csecret").unwrap();
    });
    assert!(house.look().holds());
}

#[test]
fn particulars_and_certificates_that_rotted_are_named() {
    let house = House::busy();
    let cabinet = house.dir.path().join("cabinet");
    let person = cabinet.join("people").join(house.center.people[1].0.to_string());
    flip(&person, 40);
    let (respect, words) = house.first();
    assert_eq!(respect, Respect::People);
    assert!(words.contains("can't be opened"), "{words}");
    flip(&person, 40);
    fs::rename(&person, cabinet.join("elsewhere")).unwrap();
    assert!(house.first().1.ends_with("are missing"));
    fs::rename(cabinet.join("elsewhere"), &person).unwrap();
    house.cabinet.erase_person(house.center.people[0].0).unwrap();
    let report = house.look();
    assert!(report.holds(), "what was erased on purpose is no damage: {:?}", report.first);
    house.cabinet.put_note(wire::id::Digest([5; 32]), "for the garden").unwrap();
    flip(&cabinet.join("notes").join(wire::id::Digest([5; 32]).to_string()), 30);
    assert_eq!(house.first().0, Respect::Cabinet);
}
