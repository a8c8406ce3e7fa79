//! Every input that is kept for fuzzing, and every one that fuzzing found a
//! fault with, on stable Rust.
#![cfg(feature = "net")]

mod checks;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// The files of a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_kept_input_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, check) in checks::ALL {
        let files = files(&corpus.join(name));
        assert!(!files.is_empty(), "no input for {name}");
        for file in files {
            let input = fs::read(&file).unwrap();
            println!("{}", file.display()); // shown if it fails
            check(&input);
        }
    }
}

/// Rounds of damage to each kept input; `FUZZ_ROUNDS` sets another number, and `FUZZ_ONLY`
/// names the one target whose inputs are damaged.
const ROUNDS: u32 = 20;

/// A number from 0 to `below - 1` of a fixed row.
fn chance(state: &mut u64, below: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % below.max(1)
}

/// Changes, inserts, deletes or repeats bytes, or goes on with another input.
fn damage(input: &mut Vec<u8>, other: &[u8], state: &mut u64) {
    let at = chance(state, input.len() + 1);
    let n = 1 + chance(state, 8);
    match chance(state, 6) {
        0 if at < input.len() => input[at] ^= 1 << chance(state, 8),
        1 if at < input.len() => input[at] = chance(state, 256) as u8,
        2 => input.insert(at, chance(state, 256) as u8),
        3 => drop(input.drain(at..(at + n).min(input.len()))),
        4 => {
            let again = input[at..(at + n).min(input.len())].to_vec();
            input.splice(at..at, again);
        }
        _ => {
            let from = chance(state, other.len() + 1);
            input.truncate(at);
            input.extend(&other[from..]);
        }
    }
}

#[test]
fn damage_to_kept_inputs_holds() {
    let rounds = std::env::var("FUZZ_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut state = 1;
    let mut failed = Vec::new();
    let only = std::env::var("FUZZ_ONLY").ok();
    let all = checks::ALL.iter();
    for (name, check) in all.filter(|it| only.as_ref().is_none_or(|only| only == it.0)) {
        let inputs: Vec<Vec<u8>> = files(&corpus.join(name))
            .iter()
            .map(|file| fs::read(file).unwrap())
            .collect();
        'inputs: for input in &inputs {
            let mut damaged = input.clone();
            for round in 0..rounds {
                if round % 8 == 0 {
                    damaged.clone_from(input);
                }
                let other = &inputs[chance(&mut state, inputs.len())];
                damage(&mut damaged, other, &mut state);
                damaged.truncate(2000);
                if catch_unwind(|| check(&damaged)).is_err() {
                    failed.push(format!("{name}: {}", damaged.escape_ascii()));
                    break 'inputs;
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_check_has_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let targets: Vec<String> = files(&fuzz.join("targets"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut names: Vec<&str> = checks::ALL.iter().map(|(name, _)| *name).collect();
    for (name, is_built) in [
        ("tls", cfg!(feature = "tls")),
        ("client_http", cfg!(feature = "client")),
        ("reconnect", cfg!(feature = "client")),
    ] {
        if !is_built {
            names.push(name);
        }
    }
    names.sort_unstable();
    assert_eq!(targets, names);
}
