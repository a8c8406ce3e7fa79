use super::*;

fn file(name: &str, bytes: &[u8]) -> FilePart {
    let path = std::env::temp_dir().join(std::format!("barewire-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let part = FilePart::whole(File::open(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap(); // the file lives on while it is open
    part
}

#[test]
fn a_slice_stays_within_its_part() {
    let whole = file("slice", b"0123456789");
    let part = whole.slice(4, 100);
    assert_eq!((part.offset(), part.len()), (4, 6));
    assert_eq!(part.slice(9, 9).len(), 0);
    assert_eq!(part.slice(1, 2).offset(), 5);
    let beyond = FilePart::new(whole.file.clone(), u64::MAX, u64::MAX);
    assert!(beyond.is_empty());
}

#[test]
fn a_claim_is_given_back_with_the_last_part_that_keeps_it() {
    use crate::net::{Caps, Key, Limits, Resource};
    let (caps, limits) = (Caps::new(), Limits::DEFAULT);
    let claim = caps.claim(Resource::Files, None, Key::NONE, &limits);
    let whole = file("claim", b"0123456789").with_claim(Arc::new(claim.unwrap()));
    let mut part = whole.slice(2, 5);
    drop(whole);
    part.advance(3);
    assert_eq!(caps.taken(Resource::Files), 1);
    drop(part);
    assert_eq!(caps.taken(Resource::Files), 0);
}

#[test]
fn reading_ends_at_the_part_and_goes_on_where_it_stopped() {
    let mut part = file("read", b"0123456789").slice(2, 5);
    let mut bytes = [0; 3];
    assert_eq!((part.read(&mut bytes).unwrap(), &bytes), (3, b"234"));
    assert_eq!(part.read(&mut bytes).unwrap(), 2);
    assert_eq!(&bytes[..2], b"56");
    assert_eq!(part.read(&mut bytes).unwrap(), 0);
}

#[test]
fn a_file_that_is_too_short_is_an_error() {
    let whole = file("short", b"0123");
    let mut part = FilePart::new(whole.file.clone(), 2, 4);
    let error = part.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(part.len(), 4);
}
