use super::*;
use alloc::vec;
use flate2::GzBuilder;
use proptest::prelude::*;
use std::io::{Read, Write};

fn inflate(packed: &[u8], limit: usize) -> Result<Vec<u8>, ProtocolError> {
    let mut out = vec![1, 2, 3];
    Gzip::new().inflate(packed, limit, &mut out)?;
    Ok(out.split_off(3))
}

proptest! {
    #[test]
    fn what_is_compressed_is_read_by_others_and_by_ourselves(
        messages in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..20_000), 1..4),
    ) {
        let mut gzip = Gzip::new();
        for message in messages {
            let (mut packed, mut other) = (Vec::new(), Vec::new());
            gzip.compress(&message, &mut packed);
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut other).unwrap();
            prop_assert_eq!(&other, &message);
            prop_assert_eq!(&inflate(&packed, message.len()), &Ok(message));
        }
    }

    #[test]
    fn nothing_that_is_not_gzip_is_taken_for_it(
        mut packed in proptest::collection::vec(any::<u8>(), 0..100),
        honest in any::<bool>(),
    ) {
        if honest {
            packed.splice(..0, HEAD);
        }
        let mut other = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut other);
        if let Ok(message) = inflate(&packed, 1 << 20) {
            prop_assert!(read.is_ok());
            prop_assert_eq!(message, other);
        }
    }
}

#[test]
fn every_part_of_a_head_may_be_there() {
    let mut writer = GzBuilder::new()
        .filename("a.txt")
        .comment("no comment")
        .extra(&b"xx\x02\0yz"[..])
        .write(Vec::new(), Compression::best());
    writer.write_all(b"hello").unwrap();
    let packed = writer.finish().unwrap();
    assert_eq!(inflate(&packed, 5).unwrap(), b"hello");
    let twice = [&packed[..], &packed].concat();
    assert_eq!(inflate(&twice, 10).unwrap(), b"hellohello");
    assert_eq!(inflate(&twice, 9), Err(ProtocolError::InflatedTooLong));
    for end in 0..packed.len() {
        assert_eq!(
            inflate(&packed[..end], 5),
            Err(ProtocolError::MalformedCompressed)
        );
    }
    for at in packed.len() - 8..packed.len() {
        let mut broken = packed.clone();
        broken[at] ^= 1;
        assert_eq!(inflate(&broken, 5), Err(ProtocolError::MalformedCompressed));
    }
}

#[test]
fn grpc_gzip_bomb() {
    let mut packed = Vec::new();
    Gzip::new().compress(&vec![0; 64 << 20], &mut packed);
    assert!(packed.len() < 1000 << 10);
    let (limit, mut out) = (4 << 20, Vec::new());
    let refused = Gzip::new().inflate(&packed, limit, &mut out);
    assert_eq!(refused, Err(ProtocolError::InflatedTooLong));
    assert!(
        out.capacity() <= limit + (64 << 10),
        "{} held",
        out.capacity()
    );
}
