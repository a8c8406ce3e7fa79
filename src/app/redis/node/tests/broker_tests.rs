//! A server of Redis without I/O, as far as a node needs one: a simple model of it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::redis::{Framer, Message, Reply, Script, decimal};

/// What is kept of a channel.
#[derive(Debug, Clone, Default)]
struct Record {
    server: String,
    epoch: Vec<u8>,
    /// The offset of the last publication, and the latest messages.
    offset: u64,
    log: Vec<(u64, Vec<u8>)>,
    ids: BTreeMap<Vec<u8>, (Vec<u8>, u64)>,
}

/// Publications that a channel remembers.
const KEPT: usize = 40;

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Peer {
    input: Vec<u8>,
    pub(super) output: Vec<u8>,
    subscribed: Vec<Vec<u8>>,
}

/// The server.
#[derive(Debug, Default)]
pub(super) struct Broker {
    run: u64,
    pub(super) peers: BTreeMap<usize, Peer>,
    records: BTreeMap<Vec<u8>, Record>,
    saved: BTreeMap<Vec<u8>, Record>,
}

impl Broker {
    /// Keeps what there is, for a start after a crash.
    pub(super) fn save(&mut self) {
        self.saved = self.records.clone();
    }

    /// Ends, and starts again with what was saved.
    pub(super) fn crash(&mut self) {
        self.run += 1;
        self.peers.clear();
        self.records = self.saved.clone();
    }

    /// Forgets the streams, and keeps the records.
    pub(super) fn evict(&mut self) {
        for record in self.records.values_mut() {
            record.log.clear();
        }
    }

    /// The last place of a channel, and its kept messages.
    pub(super) fn head(&self, stream: &[u8]) -> Option<(u64, u64, Vec<Vec<u8>>)> {
        let record = self.records.get(stream)?;
        let epoch = crate::redis::hexadecimal(&record.epoch)?;
        let log = record.log.iter().map(|it| it.1.clone()).collect();
        Some((epoch, record.offset, log))
    }

    fn server(&self) -> String {
        format!("{0:040x}{0:040x}", self.run + 1)
    }

    /// Bytes have come on a connection.
    pub(super) fn receive(&mut self, peer: usize, bytes: &[u8]) {
        self.peers
            .entry(peer)
            .or_default()
            .input
            .extend_from_slice(bytes);
        loop {
            let Some(connection) = self.peers.get_mut(&peer) else {
                return;
            };
            let Some(end) = Framer::new(1 << 20).end(&connection.input).unwrap() else {
                return;
            };
            let command: Vec<u8> = connection.input.drain(..end).collect();
            let mut reply = Reply::new(&command);
            let count = reply.array().unwrap();
            let parts: Vec<&[u8]> = (0..count).map(|_| reply.bytes().unwrap()).collect();
            self.run_command(peer, &parts);
        }
    }

    fn say(&mut self, peer: usize, text: &[u8]) {
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.output.extend_from_slice(text);
        }
    }

    fn run_command(&mut self, peer: usize, parts: &[&[u8]]) {
        match parts[0] {
            b"HELLO" => self.say(peer, b"%1\r\n+server\r\n+redis\r\n"),
            b"INFO" => {
                let server = self.server();
                let text = match parts[1] {
                    b"server" => format!("# Server\r\nrun_id:{}\r\n", &server[..40]),
                    _ => format!("role:master\r\nmaster_replid:{}\r\n", &server[40..]),
                };
                let text = format!("${}\r\n{text}\r\n", text.len());
                self.say(peer, text.as_bytes());
            }
            b"SSUBSCRIBE" | b"SUNSUBSCRIBE" => {
                let is_new = parts[0] == b"SSUBSCRIBE";
                let connection = self.peers.get_mut(&peer).unwrap();
                connection.subscribed.retain(|it| it != parts[1]);
                if is_new {
                    connection.subscribed.push(parts[1].to_vec());
                }
                let kind: &[u8] = if is_new {
                    b"ssubscribe"
                } else {
                    b"sunsubscribe"
                };
                let mut push = b">3\r\n".to_vec();
                put(&mut push, kind);
                put(&mut push, parts[1]);
                push.extend_from_slice(b":1\r\n");
                self.say(peer, &push);
            }
            b"EVAL" | b"EVALSHA" => self.script(peer, parts),
            other => panic!("{}", other.escape_ascii()),
        }
    }

    fn script(&mut self, peer: usize, parts: &[&[u8]]) {
        let is_it = |script: &&Script| {
            script.sha().as_bytes() == parts[1] || script.text().as_bytes() == parts[1]
        };
        let script = *Script::ALL.iter().find(is_it).unwrap();
        let keys = decimal(parts[2]).unwrap() as usize;
        let (keys, arguments) = parts[3..].split_at(keys);
        let reply = match script {
            Script::Publish => self.publish(keys, arguments),
            Script::Read => self.read(keys, arguments),
            Script::Present | Script::Here => panic!("nobody is asked for"),
        };
        self.say(peer, &reply);
    }

    fn record(
        &mut self,
        stream: &[u8],
        server: &[u8],
        epoch: &[u8],
        lags: impl Fn(&Record) -> bool,
    ) -> &mut Record {
        let now = self.server();
        assert_eq!(server, now.as_bytes());
        let record = self.records.entry(stream.to_vec()).or_default();
        if record.server != now || lags(record) {
            *record = Record {
                server: now,
                epoch: epoch.to_vec(),
                ids: core::mem::take(&mut record.ids),
                ..Record::default()
            };
        }
        record
    }

    fn publish(&mut self, keys: &[&[u8]], arguments: &[&[u8]]) -> Vec<u8> {
        let [server, epoch, .., channel, line, body] = arguments else {
            panic!()
        };
        let (server, channel) = (server.to_vec(), channel.to_vec());
        let record = self.record(keys[1], &server, epoch, |_| false);
        let known = record.ids.get(keys[2]).cloned();
        let mut reply = b"*4\r\n".to_vec();
        if let Some((epoch, offset)) = known {
            put(&mut reply, &epoch);
            put(&mut reply, offset.to_string().as_bytes());
            put(&mut reply, &server);
            reply.extend_from_slice(b":1\r\n");
            return reply;
        }
        record.offset += 1;
        let place = format!(" o={} e=", record.offset);
        let message = [line, place.as_bytes(), &record.epoch, b"\n", body].concat();
        record.log.push((record.offset, message.clone()));
        if record.log.len() > KEPT {
            record.log.remove(0);
        }
        record
            .ids
            .insert(keys[2].to_vec(), (record.epoch.clone(), record.offset));
        put(&mut reply, &record.epoch);
        put(&mut reply, record.offset.to_string().as_bytes());
        put(&mut reply, &server);
        reply.extend_from_slice(b":0\r\n");
        for peer in self
            .peers
            .values_mut()
            .filter(|it| it.subscribed.contains(&channel))
        {
            peer.output.extend_from_slice(b">3\r\n");
            put(&mut peer.output, b"smessage");
            put(&mut peer.output, &channel);
            put(&mut peer.output, &message);
        }
        reply
    }

    fn read(&mut self, keys: &[&[u8]], arguments: &[&[u8]]) -> Vec<u8> {
        let &[server, epoch, _, _, known, known_offset, asked, from, _] = arguments else {
            panic!()
        };
        let lags = |it: &Record| it.epoch == known && it.offset < decimal(known_offset).unwrap();
        let record = self.record(keys[1], server, epoch, lags);
        let page: Vec<&(u64, Vec<u8>)> = match record.epoch == asked {
            false => Vec::new(),
            true => {
                let from = decimal(from).unwrap();
                record.log.iter().filter(|it| it.0 > from).take(3).collect()
            }
        };
        let mut reply = format!("*{}\r\n", 4 + page.len()).into_bytes();
        put(&mut reply, &record.epoch);
        put(&mut reply, record.offset.to_string().as_bytes());
        put(&mut reply, server);
        put(
            &mut reply,
            page.last().map_or(0, |it| it.0).to_string().as_bytes(),
        );
        for (_, message) in page {
            put(&mut reply, message);
        }
        reply
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// The text of a message that is kept.
pub(super) fn text(message: &[u8]) -> String {
    let message = Message::parse(message).unwrap();
    String::from_utf8(message.payload.to_vec()).unwrap()
}
