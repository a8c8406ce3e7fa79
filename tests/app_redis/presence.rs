//! Who is there in all processes, and who is told so.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use barewire::app::{Present, RedisLimits, RedisOptions};
use barewire::redis::{Names, Purpose};

use crate::member::{Process, Told, quick};
use crate::server::{Server, is_there, until};

#[test]
fn presence_is_that_of_other_processes_and_ends_with_them() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let (one, two) = (
        Process::at(&server.address()),
        Process::at(&server.address()),
    );
    let (here, there) = (one.member("tea", None), two.member("tea", None));
    for session in 0..1_200 {
        there
            .line
            .enter(&Present::new(session, "ann", format!("data {session}"), 7));
    }
    there.line.leave(3);
    let present = || here.present(10_000);
    let mut found = present();
    while found.len() != 1_199 {
        found = present();
    }
    found.sort_by_key(|it| it.session);
    assert_eq!(found[3], Present::new(4, "ann", "data 4", 7));
    assert!(there.present(10).is_empty());
    for session in 0..1_200 {
        there.line.leave(session);
    }
    while !present().is_empty() {}
    let names = Names::new("barewire", "tea");
    let key = String::from_utf8(names.key(Purpose::Present)).unwrap();
    assert_eq!(server.ask(&["EXISTS", &key]), ":0");
}

fn is_subscribed(server: &Server, channel: &str, count: usize) -> bool {
    let names = Names::new("barewire", channel);
    let name = std::str::from_utf8(names.channel()).unwrap();
    let told = server.ask(&["PUBSUB", "SHARDNUMSUB", name]);
    told.ends_with(&format!(":{count}"))
}

/// What a notice says, in short.
fn event_and_user(told: &Told) -> &'static str {
    let Told::Got(text, None) = told else {
        panic!("{told:?}");
    };
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(json["channel"], "tea", "{text}");
    let said = format!("{} {}", json["event"], json["user"]).replace('"', "");
    let known = [
        "joined ann",
        "left ann",
        "joined bob",
        "left bob",
        "joined ",
        "left ",
    ];
    known.into_iter().find(|it| *it == said).unwrap()
}

#[test]
fn the_first_session_of_a_user_and_the_last_are_told_in_all_processes() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let (one, two) = (
        Process::at(&server.address()),
        Process::at(&server.address()),
    );
    let (here, there) = (one.member("tea", None), two.member("tea", None));
    for member in [&here, &there] {
        assert!(member.line.announce());
    }
    until(|| is_subscribed(&server, "tea", 2));
    let odd = "say \"hi\"\n\\ \u{1f375}";
    here.line.enter(&Present::new(1, "ann", odd, 1));
    let Told::Got(text, None) = &there.told(1)[0] else {
        panic!();
    };
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&json["data"], &json["session"]), (&odd.into(), &1.into()));
    // She has a second one elsewhere; of who has no name each session counts.
    there.line.enter(&Present::new(1, "ann", "", 1));
    there.line.enter(&Present::new(2, "", "", 1));
    until(|| here.present(10).len() == 2);
    here.line.leave(1);
    there.line.leave(2);
    until(|| there.present(10).is_empty() && here.present(10).len() == 1);
    // It becomes somebody else.
    there.line.enter(&Present::new(1, "bob", "", 1));
    until(|| here.present(10).iter().all(|it| it.user == "bob"));
    there.line.leave(1);
    let expected = [
        "joined ann",
        "joined ",
        "left ",
        "left ann",
        "joined bob",
        "left bob",
    ];
    for member in [&here, &there] {
        let told = member.told(6);
        let told: Vec<&str> = told.iter().map(event_and_user).collect();
        assert_eq!(told, expected);
    }
    let names = Names::new("barewire", "tea");
    for purpose in [Purpose::Present, Purpose::Users] {
        let key = String::from_utf8(names.key(purpose)).unwrap();
        assert_eq!(server.ask(&["EXISTS", &key]), ":0");
    }
}

#[test]
fn what_a_broker_has_forgotten_is_said_again_and_not_told() {
    if !is_there() {
        return;
    }
    let mut server = Server::start();
    let (one, two) = (
        Process::with(soon(&server.address())),
        Process::with(soon(&server.address())),
    );
    let (here, there) = (one.member("tea", None), two.member("tea", None));
    for member in [&here, &there] {
        member.line.announce();
    }
    until(|| is_subscribed(&server, "tea", 2));
    here.line.enter(&Present::new(1, "ann", "", 1));
    there.told(1);
    server.kill();
    server.run();
    until(|| is_subscribed(&server, "tea", 2) && there.present(10).len() == 1);
    there.line.enter(&Present::new(1, "bob", "", 1));
    let told = here.told(2);
    let told: Vec<&str> = told.iter().map(event_and_user).collect();
    assert_eq!(told, ["joined ann", "joined bob"]);
    // Others took it for dead: it is there again, and that is told.
    let key = |purpose| String::from_utf8(Names::new("barewire", "tea").key(purpose)).unwrap();
    let process = one_of(&server, &key(Purpose::Present), "ann");
    while there.told(2).len() < 4 {
        // It may say that it is alive before another one looks.
        server.ask(&["ZADD", &key(Purpose::Nodes), "XX", "1", &process]);
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = there.told(4);
    let told: Vec<&str> = told.iter().map(event_and_user).collect();
    assert_eq!(told[2..4], ["left ann", "joined ann"]);
    until(|| there.present(10).len() == 1);
}

/// The process that a user's session is in.
fn one_of(server: &Server, key: &str, user: &str) -> String {
    let all = server.ask(&["HGETALL", key]);
    let lines: Vec<&str> = all.split("\r\n").collect();
    let at = lines
        .iter()
        .position(|it| it.ends_with(&format!("\n{user}")))
        .unwrap();
    lines[at - 2][..16].to_owned()
}

/// The name of the variable that makes this program a process with members.
const MEMBERS: &str = "BAREWIRE_TEST_MEMBERS";

/// A process with members, until it is killed; not a test by itself.
#[test]
fn a_process_with_members() {
    let Ok(address) = std::env::var(MEMBERS) else {
        return;
    };
    let process = Process::with(soon(&address));
    let here = process.member("tea", None);
    here.line.announce();
    for session in 1..=3 {
        here.line.enter(&Present::new(session, "ann", "", 1));
    }
    until(|| here.present(10).len() == 1);
    println!("\nthere");
    std::thread::sleep(Duration::from_secs(3_600));
}

fn soon(address: &str) -> RedisOptions {
    quick(RedisOptions::at(address).unwrap()).limits(short())
}

fn short() -> RedisLimits {
    RedisLimits::DEFAULT
        .with_check_time(Duration::from_millis(300))
        .with_presence_time(Duration::from_millis(1_500))
}

#[test]
fn members_of_a_process_that_was_killed_are_gone_in_time() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let process = Process::with(soon(&server.address()));
    let here = process.member("tea", None);
    here.line.announce();
    here.line.enter(&Present::new(9, "bob", "", 1));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "presence::a_process_with_members", "--nocapture"])
        .env(MEMBERS, server.address())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|it| it.unwrap() == "there"));
    assert_eq!(here.present(10).len(), 3);
    // As long as it lives they stay, for several times as long as they are known.
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(here.present(10).len(), 3);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    until(|| here.present(10).is_empty());
    // Her first session came, and with the last one she has left.
    let told = here.told(3);
    let told: Vec<&str> = told.iter().map(event_and_user).collect();
    assert_eq!(told, ["joined bob", "joined ann", "left ann"]);
}

/// Of more sessions than go with one command.
#[test]
fn who_was_cut_off_for_long_has_left_and_joins_again() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    server.ask(&["ACL", "SETUSER", "far", "on", ">p", "~*", "&*", "+@all"]);
    let url = format!("redis://far:p@{}", server.address());
    let options = quick(url.parse().unwrap()).limits(short());
    let (one, two) = (
        Process::with(options),
        Process::with(soon(&server.address())),
    );
    let (far, here) = (one.member("tea", None), two.member("tea", None));
    far.line.announce();
    here.line.announce();
    until(|| is_subscribed(&server, "tea", 2));
    here.line.enter(&Present::new(9, "bob", "", 1));
    let users: Vec<String> = (0..700).map(|nth| format!("user {nth}")).collect();
    for (session, user) in (1..).zip(&users) {
        far.line.enter(&Present::new(session, user, "", 1));
    }
    here.told(701);
    server.ask(&["ACL", "SETUSER", "far", "off"]);
    server.ask(&["CLIENT", "KILL", "USER", "far"]);
    until(|| here.present(1_000).is_empty());
    let left = here.told(701 + 700);
    let is = |told: &Told, event: &str| {
        let start = format!(r#"{{"event":"{event}","#);
        matches!(told, Told::Got(text, None) if text.starts_with(&start))
    };
    assert!(left[701..].iter().all(|it| is(it, "left")));
    server.ask(&["ACL", "SETUSER", "far", "on"]);
    until(|| here.present(1_000).len() == 700);
    let again = here.told(701 + 1_400);
    assert!(again[1_401..].iter().all(|it| is(it, "joined")));
}
