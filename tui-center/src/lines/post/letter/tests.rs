use super::*;

/// A part of Noto Sans CJK JP with the characters of these tests; its licence lies beside it.
const JAPANESE: &[u8] = include_bytes!("fixture/japanese.otf");

const CODE: &str = "7M2K-9QWX-3FHT-VB8D";

fn sample<'a>(address: &'a [&'a str], large: &'a [(&'a str, &'a str)]) -> Letter<'a> {
    Letter {
        center: CenterId([7; 32]),
        entry: EntryNumber(123),
        at: Timestamp(1_795_000_000_000),
        sender: "Inkan Center · 1 Market Street · Tokyo",
        address,
        date: "22 November 2026",
        subject: "Your membership number and activation code",
        body: "Dear Ada Lovelace,\n\nwe have admitted you as a member. Type the number and the code below into \
               your terminal; it then asks you to review, sign and register.\n",
        large,
        closing: "The code is good for 30 days and for the terminal with which you applied.",
        terms: None,
    }
}

fn large() -> [(&'static str, &'static str); 2] {
    [("Membership number", "M-000001-3"), ("Activation code", CODE)]
}

/// The fonts, and a folder with the Japanese one.
fn fonts() -> (Fonts, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("japanese.otf");
    std::fs::write(&path, JAPANESE).unwrap();
    Fonts::open(Some(&path)).unwrap();
    (Fonts::only(path), dir)
}

/// What a reader of the PDF finds on its pages.
fn read(pdf: &[u8]) -> Vec<String> {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    pages.iter().map(|page| document.extract_text(&[*page]).unwrap()).collect()
}

/// The marks of a letter's pages.
fn laid(letter: &Letter<'_>, fonts: &Fonts) -> Result<Pages, LetterError> {
    let address = letter.address.iter().map(|line| clean(line)).filter(|line| !line.is_empty()).collect();
    let written = Written::of(letter, address);
    let chosen = fonts.choose(written.texts())?;
    lay_out(&written, &chosen)
}

/// The lines of the address field, with their baselines and sizes.
fn address_of(pages: &Pages) -> Vec<(String, f32, f32)> {
    let field = pages[0].iter().filter_map(|mark| match mark {
        Mark::Text { x, y, size, text, .. } if *x == LEFT && (50.0..90.0).contains(y) => {
            Some((text.clone(), *y, *size))
        }
        _ => None,
    });
    field.collect()
}

#[test]
fn a_letter_says_what_it_is_to_say_and_is_the_same_again() {
    let (fonts, _dir) = fonts();
    let address = ["Ada Lovelace", "", "  12 St James’s   Square ", "London SW1Y 4JH", "UNITED KINGDOM"];
    let rows = large();
    let made = letter(&sample(&address, &rows), &fonts).ok().unwrap();
    assert!(
        letter(&sample(&address, &rows), &fonts).is_ok_and(|again| again == made),
        "made again, the same"
    );
    assert_eq!((made.to.as_str(), made.kind), ("Ada Lovelace", Kind::Letter));
    let pages = read(&made.bytes);
    assert_eq!(pages.len(), 1);
    for words in [
        "Ada Lovelace",
        "12 St James’s Square",
        "UNITED KINGDOM",
        "22 November 2026",
        "Your membership number",
        "M-000001-3",
        CODE,
        "review, sign",
        "30 days",
        "Inkan Center · 1 Market Street",
    ] {
        assert!(pages[0].contains(words), "{words} in {}", pages[0]);
    }
    let clear = |word: &str| made.bytes.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(!clear(CODE) && !clear("Lovelace"), "the PDF's own words name nobody");
    assert!(made.bytes.len() < 200_000, "only the glyphs in use are in it: {}", made.bytes.len());
}

#[test]
fn japanese_is_set_in_the_named_font() {
    let (fonts, _dir) = fonts();
    let address = ["〒100-0005", "東京都千代田区丸の内一丁目二番三号", "サンプルビル", "山田花子 様"];
    let rows = [("会員番号", "M-000001-3"), ("有効化コード", CODE)];
    let japanese = Letter {
        subject: "会員番号と有効化コードのお知らせ",
        body: "山田花子様、会員番号と有効化コードは次のとおりです。",
        ..sample(&address, &rows)
    };
    let made = letter(&japanese, &fonts).ok().unwrap();
    // Where the font changes, a reader may see a space.
    let text: String = read(&made.bytes).concat().split_whitespace().collect();
    for words in ["東京都千代田区丸の内一丁目二番三号", "山田花子様", "有効化コード", CODE, "〒100-0005"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }
    let missing = Letter { subject: "𓀀", ..sample(&address, &rows) };
    let words = letter(&missing, &fonts).err().unwrap().to_string();
    assert!(words.contains("no font has “𓀀” (U+13000)"), "{words}");
}

#[test]
fn an_address_of_eight_lines_and_a_name_fits_the_window() {
    let (fonts, _dir) = fonts();
    let address = [
        "Dr Ada Augusta King, Countess of Lovelace",
        "c/o Analytical Engines Ltd",
        "Department of Notes",
        "Building C, Staircase 4",
        "Third floor, left",
        "12 St James’s Square",
        "London",
        "SW1Y 4JH",
        "UNITED KINGDOM",
    ];
    let pages = laid(&sample(&address, &[]), &fonts).unwrap();
    let field = address_of(&pages);
    assert_eq!(field.iter().map(|(text, ..)| text.as_str()).collect::<Vec<_>>(), address);
    assert!(field[0].1 > 50.0 && field[8].1 < 90.0, "{field:?}");
    assert!(field.windows(2).all(|two| two[1].1 - two[0].1 > 4.0), "no line covers another: {field:?}");
    let short = address_of(&laid(&sample(&address[..3], &[]), &fonts).unwrap());
    assert!(short[0].1 > 62.7, "a short one begins in the address zone");

    let mut ten = address.to_vec();
    ten.insert(1, "one more");
    let words = letter(&sample(&ten, &[]), &fonts).err().unwrap().to_string();
    assert!(words.contains("needs 10 lines") && words.contains("shows 9"), "{words}");
    let nobody = letter(&sample(&["", " "], &[]), &fonts).err();
    assert_eq!(nobody, Some(LetterError::NoAddress));
}

#[test]
fn long_lines_shrink_then_break_and_count() {
    let (fonts, _dir) = fonts();
    let wide = "Gesellschaft für angewandte Rechenmaschinen";
    let wider = "Königlich Preußische Gesellschaft für angewandte und theoretische Rechenmaschinen mbH";
    let field = address_of(&laid(&sample(&["Ada", wide, wider], &[]), &fonts).unwrap());
    assert_eq!(field.len(), 4, "{field:?}");
    assert_eq!(field[0].2, ADDRESS_SIZE);
    assert!(field[1].2 < ADDRESS_SIZE && field[1].2 > ADDRESS_SMALLEST, "{field:?}");
    assert_eq!((field[2].2, field[3].2), (ADDRESS_SMALLEST, ADDRESS_SMALLEST));
    let nine = [wide, wide, wide, wide, wide, wide, wide, wide, wider];
    assert_eq!(laid(&sample(&nine, &[]), &fonts).err(), Some(LetterError::Address { found: 10 }));
}

#[test]
fn marks_and_large_lines_are_where_they_belong() {
    let (fonts, _dir) = fonts();
    let rows = large();
    let pages = laid(&sample(&["Ada"], &rows), &fonts).unwrap();
    let marks: Vec<f32> = pages[0]
        .iter()
        .filter_map(|mark| match mark {
            Mark::Stroke { from, .. } if from.0 < 10.0 => Some(from.1),
            _ => None,
        })
        .collect();
    assert_eq!(marks, [105.0, 148.5, 210.0]);
    let code = pages[0].iter().find_map(|mark| match mark {
        Mark::Text { size, face, text, .. } if text == CODE => Some((*size, *face)),
        _ => None,
    });
    assert_eq!(code, Some((LARGE_SIZE, Face::Mono)));
}

#[test]
fn terms_follow_on_pages_of_their_own() {
    let (fonts, _dir) = fonts();
    let text = "1. Whoever joins keeps the two passwords apart.\n\n".repeat(120);
    let with = Letter {
        terms: Some(Terms { title: "Terms of use, version 3", text: &text }),
        ..sample(&["Ada"], &[])
    };
    let pages = read(&letter(&with, &fonts).ok().unwrap().bytes);
    assert!(
        pages.len() > 2 && !pages[0].contains("Terms of use") && pages[1].contains("Terms of use, version 3")
    );
    assert!(pages[0].contains(&format!("1 / {}", pages.len())), "{}", pages[0]);
    let endless = text.repeat(100);
    let too_long = Letter { terms: Some(Terms { title: "Terms", text: &endless }), ..sample(&["Ada"], &[]) };
    assert_eq!(letter(&too_long, &fonts).err(), Some(LetterError::TooLong));
}
