//! The libraries of the codings as oracles.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};

/// The codings that are there, by name.
pub(crate) fn available() -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, is_there) in [
        ("gzip", cfg!(feature = "gzip")),
        ("br", cfg!(feature = "brotli")),
        ("zstd", cfg!(feature = "zstd")),
    ] {
        names.extend(is_there.then_some(name));
    }
    names
}

/// What has come of a coded body so far, and whether that is its end.
pub(crate) fn decode(coding: &str, coded: &[u8]) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let ended = match coding {
        "gzip" => flate2::read::GzDecoder::new(coded)
            .read_to_end(&mut text)
            .is_ok(),
        "br" => {
            let mut reader = brotli::Decompressor::new(coded, 4096);
            let mut piece = [0; 4096];
            loop {
                match reader.read(&mut piece) {
                    Ok(0) => break true,
                    Ok(length) => text.extend_from_slice(&piece[..length]),
                    Err(_) => break false,
                }
            }
        }
        "zstd" => {
            let mut state = zstd_safe::DCtx::create();
            let mut input = zstd_safe::InBuffer::around(coded);
            let mut piece = [0; 4096];
            loop {
                let mut room = zstd_safe::OutBuffer::around(&mut piece[..]);
                let left = state.decompress_stream(&mut room, &mut input).unwrap();
                let written = room.as_slice().len();
                text.extend_from_slice(&piece[..written]);
                let is_used = input.pos() == coded.len();
                if is_used && (left == 0 || written < piece.len()) {
                    break left == 0;
                }
            }
        }
        "" => {
            text.extend_from_slice(coded);
            true
        }
        other => panic!("Content-Encoding: {other}"),
    };
    (text, ended)
}

/// A complete body.
pub(crate) fn complete(coding: &str, coded: &[u8]) -> Vec<u8> {
    let (text, ended) = decode(coding, coded);
    assert!(ended, "{coding} does not end: {} bytes of text", text.len());
    text
}

/// A body as another implementation codes it.
pub(crate) fn encode(coding: &str, text: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut coded = Vec::new();
            let mut encoder = brotli::CompressorWriter::new(&mut coded, 4096, 5, 20);
            encoder.write_all(text).unwrap();
            drop(encoder);
            coded
        }
        "zstd" => {
            let mut coded = vec![0; zstd_safe::compress_bound(text.len())];
            let length = zstd_safe::compress(&mut coded[..], text, 3).unwrap();
            coded.truncate(length);
            coded
        }
        other => panic!("{other}"),
    }
}
