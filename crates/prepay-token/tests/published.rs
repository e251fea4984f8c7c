//! The published results of STS 531-1, through the library alone: made to the bit, and read back.

use prepay_testkit::published::{Kind, published};
use prepay_token::{Token, open, open_in_clear, seal, seal_in_clear};

#[test]
fn published_tokens_agree_both_ways() {
    let cases = published();
    assert_eq!(cases.len(), 215); // A lost file or a stray filter must not pass.
    let mut tokens = 0;
    for case in &cases {
        let id = &case.id;
        match &case.kind {
            Kind::Issue { token, cipher: Some(cipher), number, tid } => {
                assert_eq!(seal(token, cipher), *number, "{id}");
                assert_eq!(open(*number, cipher).as_ref(), Ok(&**token), "{id}");
                assert_eq!(token.identifier().map(|tid| tid.value()), *tid, "{id}");
                tokens += 1;
            }
            Kind::Issue { token, cipher: None, number, tid } => {
                assert_eq!(seal_in_clear(token), Ok(*number), "{id}");
                assert_eq!(open_in_clear(*number).as_ref(), Ok(&**token), "{id}");
                assert_eq!((token.identifier(), *tid), (None, None), "{id}");
                tokens += 1;
            }
            Kind::KeyChange { set, cipher, numbers, .. } => {
                for (section, number) in set.sections().zip(numbers) {
                    let token = Token::KeyChange(section.clone());
                    assert_eq!(seal(&token, cipher), *number, "{id}");
                    assert_eq!(open(*number, cipher), Ok(token), "{id}");
                    tokens += 1;
                }
            }
        }
    }
    assert_eq!(tokens, 227);
}
