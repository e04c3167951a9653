//! Files in the bank's inbox that are no notice, another's notice, or one that was told before.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use inkan_tests::bank::Misbehaviour;

use crate::{
    house::{House, text},
    stand_in::EVIL,
    words::clear,
};

/// A credit notice with parts that a test replaces.
fn notice(change: impl Fn(String) -> String) -> String {
    change(
        "<Document><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N</MsgId></GrpHdr><Ntfctn><Id>N</Id>\
         <Acct><Id><Othr><Id>0005/101/1234567</Id></Othr></Id><Ccy>JPY</Ccy></Acct>\
         <Ntry><Amt Ccy=\"JPY\">900</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <AcctSvcrRef>REF-1</AcctSvcrRef><NtryDtls><TxDtls><Refs><AcctSvcrRef>REF-1</AcctSvcrRef></Refs>\
         <RltdPties><Dbtr><Pty><Nm>A Stranger</Nm></Pty></Dbtr></RltdPties>\
         <RmtInf><Ustrd>for fish</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Ntfctn>\
         </BkToCstmrDbtCdtNtfctn></Document>"
            .to_owned(),
    )
}

/// Puts a file into the inbox that has been still for long enough to be judged at once.
fn drop_file(house: &House, name: &str, bytes: &[u8]) {
    let (part, whole) =
        (house.file("bank-inbox").join(format!("{name}.part")), house.file("bank-inbox").join(name));
    fs::write(&part, bytes).expect("written");
    let file = fs::File::options().write(true).open(&part).expect("opened");
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).expect("aged");
    fs::rename(part, whole).expect("there");
}

fn at_bank(house: &House) -> i64 {
    house.overview()["at_bank"]["minor"].as_i64().expect("an amount")
}

#[test]
fn files_that_are_no_notice_of_ours_are_put_aside_with_words_and_book_nothing() {
    let house = House::open();
    fs::write(house.file("outside.xml"), notice(|xml| xml)).expect("written");
    let with = |from: &'static str, to: &'static str| notice(|xml| xml.replace(from, to)).into_bytes();
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
    let names = [
        ("nonsense.xml", b"<Document><this is not xml".to_vec()),
        ("empty.xml", Vec::new()),
        ("binary.xml", vec![0xff; 5_000]),
        ("nul.xml", vec![0; 5_000]),
        ("html.xml", b"<html><body>502 Bad Gateway</body></html>".to_vec()),
        ("other.xml", b"<Document><CstmrCdtTrfInitn></CstmrCdtTrfInitn></Document>".to_vec()),
        ("half.xml", notice(|xml| xml[..xml.len() / 2].to_owned()).into_bytes()),
        ("account.xml", with("0005/101/1234567", "0005/101/7654321")),
        ("iban.xml", with("<Othr><Id>0005/101/1234567</Id></Othr>", "<IBAN>DE89370400440532013000</IBAN>")),
        ("bomb.xml", notice(|xml| format!("{bomb}{}", xml.replace("A Stranger", "&c;&c;&e;"))).into_bytes()),
        ("entity.xml", with("A Stranger", "&pwned;")),
        ("escape.xml", with("A Stranger", "&#27;[2J&#0;")),
        ("deep.xml", deep.into_bytes()),
        ("deeper.xml", notice(|xml| xml.replace("A Stranger", &"<a>".repeat(200_000))).into_bytes()),
        ("nothing.xml", with(">900<", ">0<")),
        ("minus.xml", with(">900<", ">-900<")),
        ("float.xml", with(">900<", ">9e2<")),
        ("fine.xml", with(">900<", ">900.01<")),
        ("vast.xml", with(">900<", ">99999999999999999999999999<")),
        ("nowhere.xml", with("CRDT", "BOTH")),
        ("money.xml", with("Ccy=\"JPY\"", "Ccy=\"???\"")),
        ("unnamed.xml", notice(|xml| xml.replace("<AcctSvcrRef>REF-1</AcctSvcrRef>", "")).into_bytes()),
        ("\u{1b}[2J\u{202e}.xml", b"poison in the name".to_vec()),
    ];
    let bad = house.file("bank-inbox/bad");
    for (name, bytes) in &names {
        drop_file(&house, name, bytes);
    }
    // A folder and a pipe under the name of a file are nobody's notice either.
    fs::create_dir(house.file("bank-inbox/folder.xml")).expect("a folder");
    let pipe = house.file("bank-inbox/pipe.xml");
    crate::house::pipe(&pipe);
    let aside = |house: &House| {
        fs::read_dir(&bad).map_or(0, |found| found.count()) == names.len() && house.overview() != 0
    };
    house.network.wait_for("all to be put aside", |_| Ok(aside(&house))).unwrap_or_else(|error| {
        let there =
            fs::read_dir(&bad).expect("a folder").filter_map(Result::ok).map(|entry| entry.file_name());
        panic!("{error:#}; there are {:?}; the log says {:#?}", there.collect::<Vec<_>>(), house.errors())
    });
    let told = house.errors();
    for (name, _) in names.iter().filter(|(name, _)| !name.contains('\u{1b}')) {
        assert!(told.iter().any(|words| words.contains(name)), "nobody was told of {name}: {told:#?}");
    }
    assert_eq!(at_bank(&house), 0, "nothing was booked");
    // And it still takes good ones.
    house.member("mina", 1_000);
    assert_eq!(at_bank(&house), 1_000);
}

#[test]
fn money_in_another_currency_is_not_booked_as_ours_and_somebody_is_told() {
    let house = House::open();
    let euro = notice(|xml| xml.replace("\"JPY\"", "\"EUR\"").replace("REF-1", "EURO-1"));
    drop_file(&house, "euro.xml", euro.as_bytes());
    let words = house.error_of("currency");
    clear(&words);
    assert_eq!(at_bank(&house), 0);
}

#[test]
fn one_notice_told_many_times_is_booked_once() {
    let house = House::open();
    house.network.join_member("mina").expect("joined");
    let terms = house.does("mina", &["card", "request", "1000"]);
    let reference = text(&terms, "/reference");
    let bank = house.network.bank();
    let credit = bank.credit(1_000, &reference, "mina", Some(Misbehaviour::Twice)).expect("told twice");
    bank.repeat(&credit.bank_reference).expect("and once more");
    house
        .network
        .wait_for("all three to be taken", |_| {
            let done = fs::read_dir(house.file("bank-inbox/done"))?.count();
            Ok(done == 3)
        })
        .expect("taken");
    house.does("mina", &["sync"]);
    assert_eq!(house.balance("mina"), 1_000);
    assert_eq!(at_bank(&house), 1_000);
    // The same file again, byte for byte and under its own name, while the center was away in between.
    let name = format!("camt054-{}.xml", credit.bank_reference);
    let file = fs::read(house.file("bank-inbox/done").join(&name)).expect("the notice");
    drop_file(&house, &name, &file);
    house
        .network
        .wait_for("it to be taken", |_| Ok(fs::read_dir(house.file("bank-inbox/done"))?.count() == 4))
        .expect("taken");
    assert_eq!(at_bank(&house), 1_000);
    house.overview();
}

#[test]
fn a_notice_that_arrives_in_two_pieces_waits_until_it_is_whole() {
    let house = House::open();
    house.network.join_member("mina").expect("joined");
    let terms = house.does("mina", &["card", "request", "1000"]);
    let bank = house.network.bank();
    bank.credit(1_000, &text(&terms, "/reference"), "mina", Some(Misbehaviour::Torn))
        .expect("told in pieces");
    house
        .network
        .wait_for("the card", |network| {
            network.member("mina", &["sync"])?.done()?;
            Ok(network.member("mina", &["cards"])?.done()?["cards"]
                .as_array()
                .is_some_and(|cards| !cards.is_empty()))
        })
        .expect("it is issued");
    assert_eq!(house.balance("mina"), 1_000);
    assert!(!house.errors().iter().any(|words| words.contains("put aside")), "it was never judged bad");
}

#[test]
fn poison_in_payer_and_remittance_is_cleaned_before_anyone_sees_it() {
    let house = House::open();
    // Control characters are not XML, but bidi overrides and C1 controls are.
    let mild: String = EVIL.chars().filter(|c| !c.is_ascii_control()).collect();
    house
        .network
        .bank()
        .credit(700, &format!("fish{mild}"), &format!("A Stranger{mild}"), None)
        .expect("booked");
    // And what a careless bank writes all the same.
    house
        .network
        .bank()
        .credit(800, &format!("fish{EVIL}"), &format!("A Stranger{EVIL}"), None)
        .expect("booked");
    house.error_of("T-");
    let mut desk = serde_json::Value::Null;
    house
        .network
        .wait_for("the desk", |network| {
            desk = network.center(&["desk"])?.done()?;
            Ok(desk["desk"].as_array().is_some_and(|items| !items.is_empty()))
        })
        .expect("money that fits no request waits there");
    crate::words::harmless_json("the desk", &desk);
    assert!(desk.to_string().contains("A Stranger"), "{desk}");
}
