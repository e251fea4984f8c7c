//! HTML and PDF say what the slip says, in every language; their QR codes are read back from the picture; what a PDF reader
//! shows is looked at by `pdftotext` and `pdftoppm`, which must be installed (Debian: poppler-utils).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use prepay_pages::{html, pdf};
use prepay_records::receipt::ReceiptRecord;
use prepay_vend::{Language, Receipt, Row, Slip};
use serde_json::{Value, json};

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../prepay");

fn record(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(Path::new(PROGRAM).join(path)).unwrap()).unwrap()
}

fn receipt(record: &Value) -> Receipt {
    serde_json::from_str::<ReceiptRecord>(&record.to_string()).unwrap().receipt().unwrap()
}

/// The sample in every language, and a receipt with Arabic names: the name of each, the receipt and its slip.
fn slips() -> Vec<(String, Receipt, Slip)> {
    let sample = receipt(&record("src/vend/sample.json"));
    let khartoum = receipt(&record("tests/receipts/khartoum.json"));
    let of = |name: String, receipt: &Receipt, tag: &str| {
        (name, receipt.clone(), Slip::new(receipt, &Language::own(tag).unwrap()))
    };
    let mut slips: Vec<_> = Language::tags().map(|tag| of(tag.to_owned(), &sample, tag)).collect();
    slips.push(of("khartoum".to_owned(), &khartoum, "ar"));
    slips
}

/// The texts of the rows, without what is not seen.
fn texts(slip: &Slip) -> Vec<String> {
    let seen = |text: &String| {
        text.replace(['\u{2067}', '\u{2068}', '\u{2069}', '\u{200e}', '\u{200f}'], "")
    };
    let row = |row: &Row| match row {
        Row::Mark(text) | Row::Title(text) | Row::Centred(text) | Row::Paragraph(text) => {
            vec![seen(text)]
        }
        Row::Pair(start, end) | Row::LargePair(start, end) => vec![seen(start), seen(end)],
        Row::Token { caption, units, groups } => {
            vec![seen(caption), seen(units), groups.join(" ")]
        }
        Row::Divide | Row::Qr { .. } => Vec::new(),
    };
    slip.rows.iter().flat_map(row).filter(|text| !text.is_empty()).collect()
}

/// Reads the only QR code of a picture in grey.
fn read_code(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> String {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "codes");
    grids[0].decode().expect("a code that can be read").1
}

/// The part between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before}"));
    rest.split_once(after).unwrap().0
}

#[test]
fn a_page_says_what_the_slip_says_and_its_code_is_read_back() {
    for (name, receipt, slip) in slips() {
        let page = html(&slip);
        let seen = page.replace(['\u{2067}', '\u{2068}', '\u{2069}', '\u{200e}', '\u{200f}'], "");
        let seen = seen.replace("</span> <span>", " ");
        for text in texts(&slip) {
            let escaped = text.replace('&', "&#38;").replace('\'', "&#39;");
            assert!(seen.contains(&format!(">{escaped}<")), "{name}: {text}\n{page}");
        }
        let direction = if slip.is_right_to_left { "rtl" } else { "ltr" };
        assert!(page.contains(&format!("<html lang=\"{}\" dir=\"{direction}\">", slip.language)));
        // No script, and nothing from elsewhere.
        for forbidden in ["<script", "http:", "https:", "src=", "url("] {
            assert!(!page.contains(forbidden), "{name}: {forbidden}");
        }
        // The picture at five dots a square.
        let side: usize = between(&page, "viewBox=\"-4 -4 ", " ").parse().unwrap();
        let mut dark = vec![false; side * side];
        for bar in between(&page, "<path d=\"M", "z\"").split("zM") {
            let (place, length) = bar.split_once('h').unwrap();
            let (column, row) = place.split_once(' ').unwrap();
            let number = |text: &str| text.parse::<usize>().unwrap();
            let first = (number(row) + 4) * side + number(column) + 4;
            let length = number(length.split_once('v').unwrap().0);
            dark[first..first + length].fill(true);
        }
        let grey = |x: usize, y: usize| if dark[y / 5 * side + x / 5] { 0 } else { 255 };
        assert_eq!(read_code(5 * side, 5 * side, grey), receipt.qr(), "{name}");
    }
}

#[test]
fn what_looks_like_markup_is_text() {
    let mut record = record("src/vend/sample.json");
    record["operator"] = json!("<script>alert('x')</script> & \"co\"");
    let page = html(&Slip::new(&receipt(&record), &Language::own("en").unwrap()));
    assert!(!page.contains("<script"), "{page}");
    assert!(
        page.contains("&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62; &#38; &#34;co&#34;"),
        "{page}"
    );
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|_| {
        panic!("{program} is installed (Debian: apt-get install poppler-utils)")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {arguments:?}: {said}");
    output.stdout
}

/// A PDF as a file, its text, and its picture at 203 dots an inch, as receipt printers have: width, height and grey dots.
fn seen(name: &str, pdf: &[u8]) -> (PathBuf, String, (usize, usize, Vec<u8>)) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("slip-{name}.pdf"));
    fs::write(&file, pdf).unwrap();
    let path = file.to_str().unwrap();
    let text = String::from_utf8(run("pdftotext", &["-layout", path, "-"])).unwrap();
    let text = text.replace(['\u{202a}', '\u{202b}', '\u{202c}'], " "); // Its own marks of direction.
    let picture = run("pdftoppm", &["-r", "203", "-gray", "-singlefile", path]);
    let mut parts = picture.splitn(4, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap();
    assert_eq!(part(), b"P5");
    let size = std::str::from_utf8(part()).unwrap().split_once(' ').unwrap();
    let (width, height) = (size.0.parse().unwrap(), size.1.parse().unwrap());
    assert_eq!(part(), b"255");
    (file, text, (width, height, part().to_vec()))
}

/// The letters in any order: a reader of PDF puts the two sides of a line in one.
fn letters(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

#[test]
fn a_pdf_says_what_the_slip_says_and_its_code_is_read_back() {
    for (name, receipt, slip) in slips() {
        let bytes = pdf(&slip).unwrap();
        assert!(bytes.len() < 80_000, "{name}: {} bytes", bytes.len());
        let (_, text, (width, height, dots)) = seen(&name, &bytes);
        // No letter is lost or shown as another. Words are whole; where Arabic letters flow into one, or bear a vowel, a
        // reader turns them round.
        assert_eq!(letters(&text), letters(&texts(&slip).concat()), "{name}\n{text}");
        let found: BTreeSet<&str> = text.split(|letter: char| !letter.is_alphanumeric()).collect();
        let plain = |word: &&str| {
            let is_vowel = |letter: char| ('\u{64b}'..='\u{652}').contains(&letter);
            word.chars().all(|letter| letter.is_alphanumeric() && !is_vowel(letter))
                && !word.contains("لا")
                && !word.contains("لأ")
        };
        let texts = texts(&slip);
        let expected: Vec<&str> =
            texts.iter().flat_map(|text| text.split_whitespace()).filter(plain).collect();
        assert!(expected.len() > 80, "{name}: {expected:?}");
        for word in expected {
            assert!(found.contains(word), "{name}: {word}\n{text}");
        }
        for token in &receipt.facts().tokens {
            let digits = format!("{:#}", token.token);
            let line = text
                .lines()
                .any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") == digits);
            assert!(line, "{name}: {digits}\n{text}");
        }
        assert!(!text.contains('\u{fffd}'), "{name}: {text}");
        // 80 mm are 639 dots; the borders are white, and an eighth to a third of the paper is not.
        assert_eq!(width, 640, "{name}");
        assert_eq!(dots.len(), width * height, "{name}");
        let grey = |x: usize, y: usize| dots[y * width + x];
        for y in 0..height {
            assert!(
                (0..30).all(|x| grey(x, y) == 255 && grey(width - 1 - x, y) == 255),
                "{name}: line {y}"
            );
        }
        let dark = dots.iter().filter(|&&dot| dot < 128).count();
        assert!(
            (dots.len() / 30..dots.len() / 4).contains(&dark),
            "{name}: {dark} of {}",
            dots.len()
        );
        assert_eq!(read_code(width, height, grey), receipt.qr(), "{name}");
    }
}

#[test]
fn the_same_slip_is_the_same_pdf() {
    let slip = Slip::new(&receipt(&record("src/vend/sample.json")), &Language::own("ar").unwrap());
    assert_eq!(pdf(&slip).unwrap(), pdf(&slip).unwrap());
}

#[test]
fn letters_that_the_fonts_do_not_have_are_refused_by_name() {
    let mut record = record("src/vend/sample.json");
    record["customer"]["name"] = json!("ከበደ Ł");
    let error = pdf(&Slip::new(&receipt(&record), &Language::own("en").unwrap())).unwrap_err();
    assert_eq!(error.letter, 'ከ');
    assert_eq!(
        error.to_string(),
        "expected Latin or Arabic letters, found 'ከ' (U+12A8) in \"ከበደ Ł\""
    );
}

#[test]
fn the_longest_receipt_stays_within_its_borders() {
    let mut record = record("src/vend/sample.json");
    let long = "Wwww".repeat(40);
    record["utility"]["name"] = json!(long);
    record["messages"] = json!(vec![long.clone(); 99]);
    record["qr"] = json!("\u{1f4a1}".repeat(700));
    record["tokens"] = (0..99)
        .map(|index| json!({"kind": "engineering", "digits": format!("{index:020}"), "description": long}))
        .collect();
    let slip = Slip::new(&receipt(&record), &Language::own("fr").unwrap());
    let (file, text, (width, height, dots)) = seen("longest", &pdf(&slip).unwrap());
    for y in 0..height {
        let line = &dots[y * width..][..width];
        assert!(line[..30].iter().chain(&line[width - 30..]).all(|&dot| dot == 255), "line {y}");
    }
    for token in 0..99 {
        let digits = format!("{token:020}");
        let groups: Vec<&str> = (0..5).map(|group| &digits[4 * group..][..4]).collect();
        let line = text.lines().any(|line| line.split_whitespace().eq(groups.iter().copied()));
        assert!(line, "{digits}");
    }
    let pages = String::from_utf8(run("pdfinfo", &[file.to_str().unwrap()])).unwrap();
    let pages: u32 =
        pages.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().parse().unwrap();
    assert!(pages > 1, "{pages} pages");
}
