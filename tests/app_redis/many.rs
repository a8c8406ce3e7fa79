//! Several servers: a cluster whose slots move, and Sentinels that promote a replica.

use std::fs;
use std::process::{Child, Command, Stdio};

use barewire::app::{History, RedisOptions};
use barewire::redis::{Names, Purpose};

use crate::member::{Process, Told, got, quick};
use crate::server::{Server, ask, free_port, is_there, until};

const KEEP: Option<History> = Some(History::DEFAULT);

/// Servers of a cluster, whose slots are spread evenly.
fn cluster(count: u16) -> Vec<Server> {
    let servers: Vec<Server> = (0..count)
        .map(|_| {
            let bus = free_port().to_string();
            Server::with(&[
                "--save",
                "",
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "2000",
                "--cluster-require-full-coverage",
                "no",
            ])
        })
        .collect();
    let share = 16_384 / count;
    for (nth, server) in servers.iter().enumerate() {
        let from = nth as u16 * share;
        let to = if nth as u16 + 1 == count {
            16_383
        } else {
            from + share - 1
        };
        let (from, to) = (from.to_string(), to.to_string());
        server.ask(&["CLUSTER", "ADDSLOTSRANGE", &from, &to]);
        server.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(nth + 1).to_string()]);
    }
    for server in &servers[1..] {
        let bus = server.argument("--cluster-port");
        let port = server.port.to_string();
        servers[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }
    for server in &servers {
        until(|| {
            server
                .ask(&["CLUSTER", "INFO"])
                .contains("cluster_slots_ok:16384")
        });
    }
    servers
}

#[test]
fn slots_of_a_cluster_move_and_nothing_is_lost_or_doubled() {
    if !is_there() {
        return;
    }
    let servers = cluster(3);
    let options = || quick(RedisOptions::at(&servers[0].address()).unwrap().cluster());
    let (one, two) = (Process::with(options()), Process::with(options()));
    let names: Vec<String> = (0..12).map(|it| format!("channel {it}")).collect();
    let here: Vec<_> = names.iter().map(|it| one.member(it, KEEP)).collect();
    let there: Vec<_> = names.iter().map(|it| two.member(it, KEEP)).collect();
    let publish = |round: usize| {
        let later: Vec<_> = there
            .iter()
            .map(|it| it.begin(&round.to_string()))
            .collect();
        for told in later {
            assert!(told.recv().unwrap().is_ok());
        }
    };
    for round in 0..20 {
        publish(round);
    }
    // The slot of one channel moves to the next server, with its keys.
    let slot = Names::new("barewire", &names[0]).slot();
    let from = (0..3)
        .find(|&nth| usize::from(slot) < (nth + 1) * 5_461 || nth == 2)
        .unwrap();
    let to = (from + 1) % 3;
    let id = |nth: usize| {
        servers[nth].ask(&["CLUSTER", "MYID"])[5..]
            .trim()
            .to_owned()
    };
    let (source, target, number) = (id(from), id(to), slot.to_string());
    servers[to].ask(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &source]);
    servers[from].ask(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &target]);
    let later = there[0].begin("20");
    loop {
        let keys = servers[from].ask(&["CLUSTER", "GETKEYSINSLOT", &number, "100"]);
        let keys: Vec<&str> = keys
            .split("\r\n")
            .filter(|it| it.contains("barewire"))
            .collect();
        if keys.is_empty() {
            break;
        }
        let port = servers[to].port.to_string();
        let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        migrate.extend(keys);
        servers[from].ask(&migrate);
    }
    for nth in [to, from, 3 - from - to] {
        servers[nth].ask(&["CLUSTER", "SETSLOT", &number, "NODE", &target]);
    }
    assert!(later.recv().unwrap().is_ok());
    for member in &there[1..] {
        member.publish("20").unwrap();
    }
    for round in 21..40 {
        publish(round);
    }
    let mut expected: Vec<Told> = (0..40).map(|it| got(&it.to_string(), it + 1)).collect();
    for member in here.iter().chain(&there) {
        let mut told = member.told(40);
        // A server that has taken over a slot is another one to its records: a new epoch.
        if told.iter().any(|it| matches!(it, Told::Lost(_))) {
            assert!(member.since(&[]).0.offset > 0);
            continue;
        }
        told.truncate(40);
        expected.truncate(40);
        assert_eq!(told, expected);
    }
    let quiet = here.iter().filter(|it| it.told(40).len() == 40).count();
    assert!(
        quiet >= 11,
        "only the channel that has moved may begin anew: {quiet}"
    );
}

struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A Sentinel that watches the server at a port, as `main`.
fn sentinel(primary: u16, folder: &std::path::Path) -> (Sentinel, String) {
    let port = free_port();
    let file = folder.join("sentinel.conf");
    let text = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary} 1\n\
         sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 3000\n"
    );
    fs::write(&file, text).unwrap();
    let child = Command::new("redis-server")
        .arg(&file)
        .args(["--sentinel", "--loglevel", "warning", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let sentinel = Sentinel(child);
    until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    until(|| ask(port, &["SENTINEL", "REPLICAS", "main"]).contains("slave"));
    (sentinel, format!("127.0.0.1:{port}"))
}

/// The last offset that a server knows of a channel.
fn offset_at(server: &Server, channel: &str) -> String {
    let head = Names::new("barewire", channel).key(Purpose::Head);
    server.ask(&["HGET", std::str::from_utf8(&head).unwrap(), "o"])
}

#[test]
fn a_replica_that_lags_is_promoted_and_begins_a_new_epoch() {
    if !is_there() {
        return;
    }
    let mut primary = Server::start();
    let port = primary.port.to_string();
    let replica = Server::with(&["--save", "", "--replicaof", "127.0.0.1", &port]);
    until(|| {
        let told = replica.ask(&["INFO", "replication"]);
        told.contains("master_link_status:up")
    });
    let (_sentinel, address) = sentinel(primary.port, replica.folder());
    let options = quick(RedisOptions::at(&address).unwrap().sentinel("main"));
    let process = Process::with(options);
    let here = process.member("tea", KEEP);
    let known = here.publish("1").unwrap().unwrap();
    until(|| offset_at(&replica, "tea") == offset_at(&primary, "tea"));
    // What follows does not reach the replica: it stands still until nobody sends it.
    replica.signal("STOP");
    primary.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
    let last = here.publish("2").unwrap().unwrap();
    assert_eq!((last.epoch, last.offset), (known.epoch, 2));
    primary.kill();
    replica.signal("CONT");
    assert!(offset_at(&replica, "tea").ends_with("\r\n1"));
    until(|| replica.ask(&["ROLE"]).contains("master"));
    let later = here.publish("after").unwrap().unwrap();
    assert_ne!(later.epoch, last.epoch);
    assert_eq!(here.since(&[last]).1, None);
    here.lost();
}
