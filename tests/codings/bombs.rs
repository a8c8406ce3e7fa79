//! Bodies of a few bytes that become very many.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::Write;

use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::codings::encode;

pub(crate) const MIB: usize = 1 << 20;

/// Zeros in raw DEFLATE: a MiB that refers to nothing before it, and one for behind it, each
/// up to the end of a byte.
fn deflated() -> [Vec<u8>; 2] {
    let mut machine = Compress::new(Compression::new(9), false);
    [0, 1].map(|_| {
        let mut coded = Vec::with_capacity(8 << 10);
        let zeros = vec![0; MIB];
        machine
            .compress_vec(&zeros, &mut coded, FlushCompress::Sync)
            .unwrap();
        assert!(coded.len() < 4096, "{}", coded.len());
        coded
    })
}

/// So many MiB of zeros in blocks.
fn blocks(mebibytes: usize) -> Vec<u8> {
    let [first, next] = deflated();
    [first, next.repeat(mebibytes - 1), vec![3, 0]].concat()
}

/// So many MiB of zeros as a message of permessage-deflate: without the tail of its last block.
pub(crate) fn message(mebibytes: usize) -> Vec<u8> {
    let [first, next] = deflated();
    let mut all = [first, next.repeat(mebibytes - 1)].concat();
    all.truncate(all.len() - 4);
    all
}

/// So many MiB of zeros in one member.
pub(crate) fn gzip(mebibytes: usize) -> Vec<u8> {
    let mut sum = Crc::new();
    let zeros = vec![0; MIB];
    let mut one = Crc::new();
    one.update(&zeros);
    (0..mebibytes).for_each(|_| sum.combine(&one));
    let length = (mebibytes * MIB) as u32;
    let tail = [sum.sum().to_le_bytes(), length.to_le_bytes()].concat();
    let head = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [head, blocks(mebibytes), tail].concat()
}

/// So many members of a MiB.
pub(crate) fn gzip_members(members: usize) -> Vec<u8> {
    gzip(1).repeat(members)
}

/// So many MiB of zeros in zlib, whose sum of zeros is their number times 65,536, and 1.
pub(crate) fn zlib(mebibytes: usize) -> Vec<u8> {
    let high = (mebibytes * MIB % 65_521) as u32;
    let sum = (high << 16 | 1).to_be_bytes();
    [vec![0x78, 0x9c], blocks(mebibytes), sum.to_vec()].concat()
}

/// So many MiB of zeros in a frame of zstd with a window of 128 KiB: eight blocks a MiB, each
/// of which says that one byte is repeated.
pub(crate) fn zstd(mebibytes: usize) -> Vec<u8> {
    let head = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3];
    let block = |is_last: u32| {
        let head = (128 << 10) << 3 | 1 << 1 | is_last;
        [&head.to_le_bytes()[..3], &[0]].concat()
    };
    [head, block(0).repeat(8 * mebibytes - 1), block(1)].concat()
}

/// So many frames of a MiB.
pub(crate) fn zstd_frames(frames: usize) -> Vec<u8> {
    zstd(1).repeat(frames)
}

/// So many MiB of zeros in br: a MiB, and one for behind it, each up to the end of a byte.
pub(crate) fn br(mebibytes: usize) -> Vec<u8> {
    let mut coded = Vec::new();
    let mut at = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut coded, 4096, 3, 18);
    for _ in 0..3 {
        encoder.write_all(&vec![0; MIB]).unwrap();
        encoder.flush().unwrap();
        at.push(encoder.get_ref().len());
    }
    drop(encoder);
    let next = &coded[at[1]..at[2]];
    assert!(next.len() < 1000, "{}", next.len());
    let mut bomb = coded[..at[1]].to_vec();
    bomb.extend(next.repeat(mebibytes - 2));
    bomb.extend(&coded[at[2]..]);
    bomb
}

/// Each coding with a bomb of so many MiB, and some of many members or frames.
pub(crate) fn all(mebibytes: usize) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("gzip", "one member", gzip(mebibytes)),
        ("gzip", "many members", gzip_members(mebibytes)),
        ("deflate", "zlib", zlib(mebibytes)),
        ("deflate", "bare", blocks(mebibytes)),
        ("br", "one stream", br(mebibytes)),
        ("zstd", "one frame", zstd(mebibytes)),
        ("zstd", "many frames", zstd_frames(mebibytes)),
    ]
}

/// Something in something: what is decoded first is called last.
pub(crate) fn nested(mebibytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    let again = |inner: &[u8]| encode("gzip", inner);
    vec![
        ("gzip, gzip", again(&gzip(mebibytes))),
        ("zstd, gzip", again(&zstd(mebibytes))),
        ("br, gzip, gzip", again(&again(&br(mebibytes)))),
        ("zstd, br", encode("br", &zstd_frames(mebibytes))),
        ("deflate, zstd", encode("zstd", &zlib(mebibytes))),
    ]
}
