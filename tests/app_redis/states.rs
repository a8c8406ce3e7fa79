//! States of a server in which it refuses commands, for now or for good.

use std::fs;

use barewire::app::{ChannelError, History, Present, RedisLimits, RedisOptions};
use barewire::redis::{Names, Purpose};

use crate::member::{Process, got, quick};
use crate::server::{Server, is_there, until};

const KEEP: Option<History> = Some(History::DEFAULT);

fn options(url: &str) -> RedisOptions {
    quick(url.parse().unwrap())
}

fn head(channel: &str) -> String {
    String::from_utf8(Names::new("barewire", channel).key(Purpose::Head)).unwrap()
}

#[test]
fn who_has_no_password_waits_until_none_is_asked_for() {
    if !is_there() {
        return;
    }
    let server = Server::with(&["--save", "", "--requirepass", "a secret"]);
    let url = |who: &str| format!("redis://{who}127.0.0.1:{}", server.port);
    let right = Process::with(options(&url(":a%20secret@")));
    let others = [":other@", ""].map(|who| Process::with(options(&url(who))));
    let here = right.member("tea", KEEP);
    here.publish("1").unwrap();
    let members = others.each_ref().map(|it| it.publisher("tea", KEEP));
    let later = members.each_ref().map(|it| it.begin("2"));
    for other in &others {
        until(|| other.0.metrics().failed > 2);
        assert!(!other.0.metrics().is_connected);
    }
    server.ask_all(&[&["AUTH", "a secret"], &["CONFIG", "SET", "requirepass", ""]]);
    for told in later {
        assert!(told.recv().unwrap().is_ok());
    }
    assert_eq!(here.told(3), [got("1", 1), got("2", 2), got("2", 3)]);
}

/// The line of the documentation that makes a user, and what that user does.
#[test]
fn the_documented_rights_are_enough() {
    if !is_there() {
        return;
    }
    let folder = env!("CARGO_MANIFEST_DIR");
    let docs = fs::read_to_string(format!("{folder}/docs/channels.md")).unwrap();
    let line = docs.split_once("ACL SETUSER chat").unwrap().1;
    let words = line.split("```").next().unwrap().split_whitespace();
    let words: Vec<&str> = ["ACL", "SETUSER", "chat"]
        .into_iter()
        .chain(words)
        .collect();
    let server = Server::start();
    server.ask(&words);
    server.ask(&["ACL", "SETUSER", "default", "off"]);
    let url = format!("redis://chat:PASSWORD@127.0.0.1:{}", server.port);
    let (one, two) = (Process::with(options(&url)), Process::with(options(&url)));
    let (kept, plain) = (one.member("kept", KEEP), one.member("plain", None));
    let (there, far) = (two.member("kept", KEEP), two.member("plain", None));
    plain.line.enter(&Present::new(7, "ann", "", 1));
    plain.line.enter(&Present::new(8, "bob", "", 1));
    until(|| far.present(10).len() == 2);
    plain.line.leave(7);
    until(|| far.present(10).len() == 1);
    let first = there.publish("1").unwrap().unwrap();
    there.publish("2").unwrap();
    far.publish("3").unwrap();
    assert_eq!(kept.told(2), [got("1", 1), got("2", 2)]);
    assert_eq!(plain.told(1), [got("3", 0)]);
    assert_eq!(kept.since(&[first]).1, Some(vec!["2".to_owned()]));
    for process in [&one, &two] {
        let metrics = process.0.metrics();
        assert_eq!((metrics.errors, metrics.failed), (0, 0));
    }
}

#[test]
fn what_a_user_may_not_do_is_refused_until_it_may() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    // `resetchannels` is the default: a user has no channels.
    server.ask(&["ACL", "SETUSER", "chat", "on", ">p", "~*", "+@all"]);
    let process = Process::with(options(&format!(
        "redis://chat:p@127.0.0.1:{}",
        server.port
    )));
    let there = Process::at(&server.address());
    let plain = process.member("plain", None);
    assert_eq!(plain.publish("no"), Err(ChannelError::Unavailable));
    until(|| process.0.metrics().errors >= 2); // to publish, and to subscribe
    // What is kept is there, although nobody was told of it.
    let kept = process.member("kept", KEEP);
    let place = kept.publish("1").unwrap().unwrap();
    assert_eq!(kept.told(1), [got("1", 1)]);
    server.ask(&["ACL", "SETUSER", "chat", "-evalsha", "-eval"]);
    assert_eq!(kept.publish("no"), Err(ChannelError::Unavailable));
    assert_eq!(kept.past(&[place]).unwrap_err(), ChannelError::Unavailable);
    assert_eq!(process.0.metrics().failed, 0);
    // It is subscribed as soon as it may.
    server.ask(&["ACL", "SETUSER", "chat", "+@all", "&barewire:*"]);
    let far = there.publisher("plain", None);
    let names = Names::new("barewire", "plain");
    let name = std::str::from_utf8(names.channel()).unwrap();
    until(|| server.ask(&["PUBSUB", "SHARDNUMSUB", name]).ends_with(":1"));
    far.publish("yes").unwrap();
    assert_eq!(plain.told(1), [got("yes", 0)]);
    let far = there.publisher("kept", KEEP);
    far.publish("2").unwrap();
    assert_eq!(kept.told(2), [got("1", 1), got("2", 2)]);
}

#[test]
fn keys_are_in_the_database_that_was_chosen() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let process = Process::with(options(&format!("redis://127.0.0.1:{}/3", server.port)));
    let here = process.member("tea", KEEP);
    here.publish("1").unwrap();
    let exists = |number: &str| {
        let told = server.ask_all(&[&["SELECT", number], &["EXISTS", &head("tea")]]);
        told.ends_with(":1")
    };
    assert_eq!([exists("0"), exists("3")], [false, true]);
    // One that is not there is a server that cannot be used.
    let none = Process::with(options(&format!("redis://127.0.0.1:{}/99", server.port)));
    let lost = none.publisher("tea", KEEP);
    let later = lost.begin("2");
    until(|| none.0.metrics().failed > 1);
    assert!(!none.0.metrics().is_connected);
    drop(none);
    drop(lost);
    assert_eq!(later.recv().unwrap(), Err(ChannelError::Unavailable));
}

#[cfg(feature = "tls")]
#[test]
fn a_server_is_reached_over_tls() {
    use barewire::tls::{Client, ClientOptions, Roots};

    if !is_there() {
        return;
    }
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let own = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = std::env::temp_dir().join(format!("barewire-redis-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = file("certificate.pem", own.cert.pem());
    let key = file("key.pem", own.signing_key.serialize_pem());
    let port = crate::server::free_port();
    let mut server = Server::with(&[
        "--save",
        "",
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--tls-auth-clients",
        "no",
    ]);
    let roots = Roots::from_pem(own.cert.pem().as_bytes()).unwrap();
    let tls = Client::new(ClientOptions::new().root_certs(roots)).unwrap();
    let url = format!("rediss://127.0.0.1:{port}");
    let one = Process::with(options(&url).tls(tls.clone()));
    let two = Process::with(options(&format!("rediss://localhost:{port}")).tls(tls));
    let (here, there) = (one.member("tea", KEEP), two.member("tea", KEEP));
    let long = "long ".repeat(20_000);
    there.publish(&long).unwrap();
    here.publish("2").unwrap();
    for member in [&here, &there] {
        assert_eq!(member.told(2), [got(&long, 1), got("2", 2)]);
    }
    // It comes back over TLS; without data in a new epoch.
    server.kill();
    server.run();
    here.lost();
    there.publish("3").unwrap();
    // Who does not trust the certificate says nothing to that server.
    let stranger = Process::with(options(&url));
    until(|| stranger.0.metrics().failed > 1);
    assert!(!stranger.0.metrics().is_connected);
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn a_server_that_may_not_be_written_to_is_left_for_another() {
    if !is_there() {
        return;
    }
    let (one, two) = (Server::start(), Server::start());
    let both = RedisOptions::at(&one.address()).unwrap();
    let process = Process::with(quick(both.and(&two.address()).unwrap()));
    let here = process.member("tea", KEEP);
    let first = here.publish("1").unwrap().unwrap();
    // It becomes a replica under a connection.
    one.ask(&["REPLICAOF", "127.0.0.1", &two.port.to_string()]);
    // With its first replica a server begins a new history.
    until(|| {
        let told = one.ask(&["INFO", "replication"]);
        told.contains("master_link_status:up")
    });
    let after = here.publish("2").unwrap().unwrap();
    assert_ne!(after.epoch, first.epoch);
    here.lost();
    assert_eq!(two.ask(&["EXISTS", &head("tea")]), ":1");
    // A further one finds it as it is.
    let both = RedisOptions::at(&one.address()).unwrap();
    let late = Process::with(quick(both.and(&two.address()).unwrap()));
    let there = late.member("tea", KEEP);
    assert_eq!(there.since(&[after]), (after, Some(Vec::new())));
    assert!(late.0.metrics().failed > 0);
}

#[test]
fn a_server_without_memory_refuses_what_would_be_kept() {
    if !is_there() {
        return;
    }
    let server = Server::with(&["--save", "", "--maxmemory-policy", "noeviction"]);
    let process = Process::at(&server.address());
    let (here, plain) = (process.member("tea", KEEP), process.member("plain", None));
    let first = here.publish("1").unwrap().unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(here.publish("no"), Err(ChannelError::Unavailable));
    // Nothing is kept of what needs nothing to be kept.
    assert_eq!(plain.publish("plain"), Ok(None));
    assert!(process.0.metrics().errors > 0);
    assert_eq!(process.0.metrics().failed, 0);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    let next = here.publish("2").unwrap().unwrap();
    assert_eq!((next.epoch, next.offset), (first.epoch, 2));
    assert_eq!(here.told(2), [got("1", 1), got("2", 2)]);
}

#[test]
fn a_server_that_is_busy_is_waited_for() {
    if !is_there() {
        return;
    }
    let server = Server::with(&["--save", "", "--busy-reply-threshold", "20"]);
    let process = Process::at(&server.address());
    let here = process.member("tea", KEEP);
    here.publish("1").unwrap();
    let port = server.port;
    let busy = std::thread::spawn(move || {
        let endless = ["EVAL", "while true do end", "0"];
        crate::server::ask(port, &endless)
    });
    until(|| server.ask(&["PING"]).contains("BUSY"));
    let later = here.begin("2");
    until(|| process.0.metrics().retried > 1);
    assert!(later.try_recv().is_err());
    server.ask(&["SCRIPT", "KILL"]);
    assert_eq!(later.recv().unwrap().unwrap().unwrap().offset, 2);
    assert_eq!(here.told(2), [got("1", 1), got("2", 2)]);
    assert_eq!(process.0.metrics().failed, 0);
    let _ = busy.join();
}

#[test]
fn a_server_that_loads_its_data_is_waited_for() {
    if !is_there() {
        return;
    }
    let mut server = Server::with(&["--save", "", "--appendonly", "no"]);
    let fill = "for nth = 1, 3000 do redis.call('SET', 'key ' .. nth, string.rep('x', 100)) end";
    let process = Process::at(&server.address());
    let here = process.member("tea", KEEP);
    let before = here.publish("1").unwrap().unwrap();
    server.ask(&["EVAL", fill, "0"]);
    server.ask(&["SAVE"]);
    server.kill();
    // A millisecond for each key.
    server.add(&["--key-load-delay", "1000"]);
    server.add(&["--loading-process-events-interval-bytes", "1024"]);
    server.run();
    let later = here.begin("2");
    until(|| process.0.metrics().retried > 1);
    let place = later.recv().unwrap().unwrap().unwrap();
    assert_ne!(place.epoch, before.epoch);
    here.lost();
}

#[test]
fn a_slot_that_no_server_has_is_waited_for_or_given_up() {
    if !is_there() {
        return;
    }
    let bus = crate::server::free_port().to_string();
    let server = Server::with(&[
        "--save",
        "",
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &bus,
    ]);
    let at = || RedisOptions::at(&server.address()).unwrap().cluster();
    let process = Process::with(quick(at()));
    let short = RedisLimits::DEFAULT.with_queue_time(std::time::Duration::from_millis(500));
    let hasty = Process::with(at().limits(short));
    let (here, there) = (process.publisher("tea", KEEP), hasty.publisher("tea", KEEP));
    // At first there are no slots at all, and then one is taken away.
    let later = here.begin("1");
    assert_eq!(there.publish("no"), Err(ChannelError::Unavailable));
    server.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    let first = later.recv().unwrap().unwrap().unwrap();
    until(|| there.publish("2").is_ok());
    let slot = Names::new("barewire", "tea").slot().to_string();
    server.ask(&["CLUSTER", "DELSLOTS", &slot]);
    let retried = process.0.metrics().retried;
    let later = here.begin("3");
    // It may be on its way when its time is over.
    let error = there.publish("no").unwrap_err();
    let errors = [ChannelError::Unavailable, ChannelError::Unknown];
    assert!(errors.contains(&error), "{error}");
    until(|| process.0.metrics().retried > retried);
    server.ask(&["CLUSTER", "ADDSLOTS", &slot]);
    let place = later.recv().unwrap().unwrap().unwrap();
    assert_eq!(place.epoch, first.epoch);
    assert!(place.offset > first.offset);
}
