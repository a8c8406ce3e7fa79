//! Servers that refuse to write, as their data would not be safe.

use std::fs;

use barewire::app::{ChannelError, History, RedisOptions};

use crate::member::{Process, got, quick};
use crate::server::{Server, is_there, until};

const KEEP: Option<History> = Some(History::DEFAULT);

#[test]
fn a_server_with_too_few_replicas_is_waited_for() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let process = Process::at(&server.address());
    let (here, plain) = (process.member("tea", KEEP), process.member("plain", None));
    let first = here.publish("1").unwrap().unwrap();
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]); // NOREPLICAS
    let later = here.begin("2");
    until(|| process.0.metrics().retried > 1);
    assert!(later.try_recv().is_err());
    // What needs no writing is not held up.
    assert_eq!(plain.publish("plain"), Ok(None));
    server.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    let next = later.recv().unwrap().unwrap().unwrap();
    assert_eq!((next.epoch, next.offset), (first.epoch, 2));
    assert_eq!(here.told(2), [got("1", 1), got("2", 2)]);
    assert_eq!(process.0.metrics().failed, 0);
}

#[test]
fn a_server_that_cannot_save_refuses_what_would_be_kept() {
    if !is_there() {
        return;
    }
    let server = Server::with(&["--save", "3600 1", "--appendonly", "no"]);
    let process = Process::at(&server.address());
    let (here, plain) = (process.member("tea", KEEP), process.member("plain", None));
    let first = here.publish("1").unwrap().unwrap();
    // Its folder is gone from under it.
    fs::remove_dir_all(server.folder()).unwrap();
    server.ask(&["BGSAVE"]);
    until(|| {
        let told = server.ask(&["INFO", "persistence"]);
        told.contains("rdb_last_bgsave_status:err")
    });
    let errors = process.0.metrics().errors;
    assert_eq!(here.publish("no"), Err(ChannelError::Unavailable)); // MISCONF
    assert!(process.0.metrics().errors > errors);
    assert_eq!(plain.publish("plain"), Ok(None));
    server.ask(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    let next = here.publish("2").unwrap().unwrap();
    assert_eq!((next.epoch, next.offset), (first.epoch, 2));
    assert_eq!(here.told(2), [got("1", 1), got("2", 2)]);
    assert_eq!(process.0.metrics().failed, 0);
}

/// A primary that was sent away and does not know the new one yet.
#[test]
fn a_server_without_its_primary_is_left_for_another() {
    if !is_there() {
        return;
    }
    let (one, two) = (Server::start(), Server::start());
    let both = RedisOptions::at(&one.address()).unwrap();
    let process = Process::with(quick(both.and(&two.address()).unwrap()));
    let here = process.member("tea", KEEP);
    let first = here.publish("1").unwrap().unwrap();
    one.ask(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    let nobody = crate::server::free_port().to_string();
    one.ask(&["REPLICAOF", "127.0.0.1", &nobody]); // MASTERDOWN
    let after = here.publish("2").unwrap().unwrap();
    assert_ne!(after.epoch, first.epoch);
    here.lost();
}
