//! The commands that are sent for a channel.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::channel::{Here, Outgoing, Query, Reading};
use super::link::{Expect, Link};
use super::options::RedisOptions;
use crate::app::channels::history::History;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::redis::{Message, Names, Purpose, Script, decimals, hex, put_command};
use crate::websocket::Kind;
use crate::wire::Instant;

/// The names of all scripts.
pub(crate) type Shas = [String; Script::ALL.len()];

/// To whom, and on whose behalf.
pub(crate) struct Writer<'a> {
    pub(crate) now: Instant,
    pub(crate) node: u64,
    /// The epoch of a channel that has none.
    pub(crate) epoch: u64,
    pub(crate) options: &'a RedisOptions,
    /// The names of the scripts.
    pub(crate) shas: &'a Shas,
    /// The slot is on its way to that server.
    pub(crate) is_asking: bool,
    pub(crate) link: &'a mut Link,
}

/// Entries that one reading of a history gives at most.
const PAGE: &[u8] = b"128";

impl Writer<'_> {
    /// Has a script run with these keys and arguments, the last of which is in pieces.
    fn run(
        &mut self,
        script: Script,
        what: Expect,
        keys: &[&[u8]],
        arguments: &[&[u8]],
        last: &[&[u8]],
    ) {
        if self.is_asking {
            self.link.ask(Expect::Nothing, self.now, |out| {
                put_command(out, &[b"ASKING"])
            });
        }
        let is_known = self.link.knows(script);
        let sha = self.shas.get(script as usize).map_or("", |it| it);
        let count = 3 + keys.len() + arguments.len() + usize::from(!last.is_empty());
        self.link.ask(what, self.now, |out| {
            put_number(out, b'*', count);
            let (command, text): (&[u8], _) = match is_known {
                true => (b"EVALSHA", sha),
                false => (b"EVAL", script.text()),
            };
            put_pieces(out, &[command]);
            put_pieces(out, &[text.as_bytes()]);
            let mut digits = [0; 20];
            put_pieces(out, &[decimals(keys.len() as u64, &mut digits)]);
            for part in keys.iter().chain(arguments) {
                put_pieces(out, &[part]);
            }
            if !last.is_empty() {
                put_pieces(out, last);
            }
        });
    }

    /// The server, as it stands in the record of a channel.
    fn server(&self) -> String {
        match self.options.is_durable {
            true => String::from("durable"),
            false => self.link.server.clone(),
        }
    }
}

fn put_number(out: &mut Vec<u8>, kind: u8, number: usize) {
    out.push(kind);
    out.extend_from_slice(decimals(number as u64, &mut [0; 20]));
    out.extend_from_slice(b"\r\n");
}

/// One string of several pieces.
fn put_pieces(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    put_number(out, b'$', pieces.iter().map(|it| it.len()).sum());
    for piece in pieces {
        out.extend_from_slice(piece);
    }
    out.extend_from_slice(b"\r\n");
}

/// Bytes that a number takes in decimal digits.
struct Digits([u8; 20]);

impl Digits {
    const NEW: Self = Self([0; 20]);

    fn of(&mut self, number: u64) -> &[u8] {
        decimals(number, &mut self.0)
    }

    fn millis(&mut self, time: Duration) -> &[u8] {
        self.of(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }
}

/// How many seconds the record of a channel lives that nobody uses: longer than what it
/// remembers.
fn head_seconds(keep: &History) -> u64 {
    keep.age.as_secs().saturating_mul(2).clamp(3_600, 1 << 32)
}

fn message<'a>(publication: &'a Publication, node: u64, id: &'a [u8]) -> Message<'a> {
    Message {
        is_text: publication.kind() == Kind::Text,
        node,
        id,
        unix_millis: publication.unix_millis(),
        place: None,
        notice: b"",
        note: publication.note(),
        event: publication.event_type().as_bytes(),
        payload: publication.payload(),
    }
}

/// Publishes to a channel with history.
pub(crate) fn put_publish(
    writer: &mut Writer<'_>,
    channel: u64,
    names: &Names,
    (head, stream): (&[u8], &[u8]),
    (outgoing, keep): (&Outgoing, History),
) {
    let limits = &writer.options.limits;
    let (mut seq, mut most, mut bytes) = (Digits::NEW, Digits::NEW, Digits::NEW);
    let (mut age, mut lives, mut known) = (Digits::NEW, Digits::NEW, Digits::NEW);
    let id = seq.of(outgoing.seq);
    let mut id_key = names.key(Purpose::Id);
    for part in [b":", &hex(writer.node)[..], b"-", id] {
        id_key.extend_from_slice(part);
    }
    let message = message(&outgoing.publication, writer.node, id);
    let mut line = Vec::with_capacity(96);
    message.put_line(&mut line);
    let server = writer.server();
    let epoch = hex(writer.epoch);
    let arguments: [&[u8]; 9] = [
        server.as_bytes(),
        &epoch,
        most.of(keep.publications as u64),
        bytes.of(keep.bytes as u64),
        age.millis(keep.age),
        lives.of(head_seconds(&keep)),
        known.millis(limits.id_time),
        names.channel(),
        &line,
    ];
    let what = Expect::Publish {
        channel,
        seq: outgoing.seq,
        is_kept: true,
    };
    let body = [message.note, message.event, message.payload];
    writer.run(
        Script::Publish,
        what,
        &[head, stream, &id_key],
        &arguments,
        &body,
    );
}

/// Publishes to a channel that remembers nothing.
pub(crate) fn put_spublish(
    writer: &mut Writer<'_>,
    channel: u64,
    names: &Names,
    outgoing: &Outgoing,
) {
    let what = Expect::Publish {
        channel,
        seq: outgoing.seq,
        is_kept: false,
    };
    let mut seq = Digits::NEW;
    let message = message(&outgoing.publication, writer.node, seq.of(outgoing.seq));
    let mut line = Vec::with_capacity(96);
    message.put_line(&mut line);
    let Message {
        note,
        event,
        payload,
        ..
    } = message;
    writer.link.ask(what, writer.now, |out| {
        put_number(out, b'*', 3);
        put_pieces(out, &[b"SPUBLISH"]);
        put_pieces(out, &[names.channel()]);
        put_pieces(out, &[&line, b"\n", note, event, payload]);
    });
}

/// Reads a page of the history.
pub(crate) fn put_read(
    writer: &mut Writer<'_>,
    channel: u64,
    (head, stream): (&[u8], &[u8]),
    keep: Option<History>,
    (reading, delivered): (&Reading, Option<Position>),
) {
    let keep = keep.unwrap_or_default();
    let server = writer.server();
    let epoch_of = |it: Option<u64>| it.map(hex);
    let (asked, known) = (
        epoch_of(reading.epoch.map(|it| it.number())),
        epoch_of(delivered.map(|it| it.epoch.number())),
    );
    let text = |it: &Option<[u8; 16]>| it.map_or(Vec::new(), |it| it.to_vec());
    let (mut lives, mut age) = (Digits::NEW, Digits::NEW);
    let (mut offset, mut from) = (Digits::NEW, Digits::NEW);
    let arguments: [&[u8]; 9] = [
        server.as_bytes(),
        &hex(writer.epoch),
        lives.of(head_seconds(&keep)),
        age.millis(keep.age),
        &text(&known),
        offset.of(delivered.map_or(0, |it| it.offset)),
        &text(&asked),
        from.of(reading.from),
        PAGE,
    ];
    writer.run(
        Script::Read,
        Expect::Read(channel),
        &[head, stream],
        &arguments,
        &[],
    );
}

/// The name of a member in the table of all processes.
pub(crate) fn field(node: u64, session: u64) -> Vec<u8> {
    let mut field = hex(node).to_vec();
    field.push(b':');
    let mut digits = Digits::NEW;
    field.extend_from_slice(digits.of(session));
    field
}

/// Says who is there, and that this process is alive.
pub(crate) fn put_here(
    writer: &mut Writer<'_>,
    channel: u64,
    names: &Names,
    (here, told_as): (&Here, Option<&str>),
) {
    let node = hex(writer.node);
    let (mut time, mut gone_count) = (Digits::NEW, Digits::NEW);
    let (mut gone, mut there) = (Vec::new(), Vec::new());
    for &(session, is_new) in &here.sent {
        match here.members.get(&session) {
            None => gone.push(field(writer.node, session)),
            Some(who) => {
                there.push(field(writer.node, session));
                let (mut since, mut user) = (Digits::NEW, Digits::NEW);
                let mut value = since.of(who.since).to_vec();
                value.push(b' ');
                value.extend_from_slice(user.of(who.user.len() as u64));
                for part in ["\n", &who.user, &who.data] {
                    value.extend_from_slice(part.as_bytes());
                }
                there.push(value);
                there.push(if is_new { b"1".to_vec() } else { Vec::new() });
            }
        }
    }
    let mut arguments: Vec<&[u8]> = alloc::vec![
        &node,
        time.millis(writer.options.limits.presence_time),
        told_as.map_or(b"", |_| names.channel()),
        told_as.unwrap_or_default().as_bytes(),
        gone_count.of(gone.len() as u64),
    ];
    arguments.extend(gone.iter().chain(&there).map(Vec::as_slice));
    let keys = [Purpose::Present, Purpose::Nodes, Purpose::Users].map(|it| names.key(it));
    let keys = keys.each_ref().map(Vec::as_slice);
    writer.run(Script::Here, Expect::Here(channel), &keys, &arguments, &[]);
}

/// Asks who is there in other processes.
pub(crate) fn put_present(writer: &mut Writer<'_>, channel: u64, names: &Names, query: Query) {
    let (node, mut most) = (hex(writer.node), Digits::NEW);
    let most = most.of(query.most as u64).to_vec();
    let keys = [Purpose::Present, Purpose::Nodes].map(|it| names.key(it));
    let keys = keys.each_ref().map(Vec::as_slice);
    let what = Expect::Present(channel, query);
    writer.run(Script::Present, what, &keys, &[&node, &most], &[]);
}
