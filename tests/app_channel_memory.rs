//! What channels, memberships and publications take.

#![cfg(feature = "net")]

mod app_support;
mod counting;

use core::sync::atomic::Ordering::Relaxed;

use app_support::Running;
use barewire::app::{App, ChannelLimits, ChannelOptions, History, Message, Socket, WebSocket};
use barewire::net::Limits;
use counting::{COUNTS, LIVE};
use tungstenite::Message as Frame;

/// How many of each are made. A power of two, less a few: tables are neither nearly empty
/// nor full.
const COUNT: usize = 900;

/// Says how many bytes a `join` of all channels takes, or as many publications.
struct Measured;

impl WebSocket for Measured {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        COUNTS.set(true);
        let before = LIVE.load(Relaxed);
        match message.as_text().unwrap() {
            "join" => {
                for n in 0..COUNT {
                    socket.join(&format!("channel {n}")).unwrap();
                }
            }
            _ => {
                for _ in 0..COUNT {
                    let _ = socket.publish("kept", &[0; 16][..]);
                }
            }
        }
        let bytes = LIVE.load(Relaxed) - before;
        COUNTS.set(false);
        socket.send(&(bytes / COUNT as i64).to_string());
    }
}

#[test]
fn a_channel_a_membership_and_a_publication_take_little() {
    let keep = History::DEFAULT.with_publications(COUNT);
    let app = App::new()
        .channel_limits(ChannelLimits::DEFAULT.with_joined(COUNT))
        .channel("kept", ChannelOptions::new().history(keep))
        .websocket("/ws", |_| Ok(Measured))
        .limits(Limits::DEFAULT);
    let running = Running::start(app);
    let ask = |text: &str| {
        let mut client = tungstenite::client("ws://a/ws", running.connect())
            .unwrap()
            .0;
        client.send(Frame::text(text)).unwrap();
        let answer = client.read().unwrap().into_text().unwrap();
        (answer.parse::<i64>().unwrap(), client)
    };
    let (channel, _first) = ask("join");
    let (membership, _second) = ask("join");
    let (publication, _) = ask("publish");
    println!("channel and member {channel}, membership {membership}, publication {publication}");
    assert!(channel - membership < 900, "{channel} {membership}");
    assert!(membership < 160, "{membership}");
    assert!(publication < 260, "{publication}");
}
