//! The other end of a scripted connection over a toy transport.

use std::io::IoSlice;

use barewire::net::{Limits, ListenOptions, ScriptedClient, Speaks, Transport};
use barewire::wire::{Received, Role, Step};

use crate::scene::{Scene, Setting};
use crate::toy::Toy;

/// The other end of a scripted connection, behind a toy of its own.
pub(crate) struct Peer {
    pub(crate) client: ScriptedClient,
    pub(crate) toy: Toy,
    pub(crate) sealed: Vec<u8>,
    /// What the loop said before it was asked.
    pub(crate) early: Vec<u8>,
    pub(crate) closed: bool,
    pub(crate) failed: bool,
}

impl Peer {
    pub(crate) fn new(client: ScriptedClient, role: Role, speaks: Speaks) -> Self {
        Self {
            client,
            toy: Toy::new(role, speaks),
            sealed: Vec::new(),
            early: Vec::new(),
            closed: false,
            failed: false,
        }
    }

    /// Connects, and is agreed.
    pub(crate) fn connect(scene: &mut Scene, speaks: Speaks) -> Self {
        let client = scene.world.connect_client(1);
        scene.settle();
        let mut peer = Self::new(client, Role::Client, speaks);
        peer.early = peer.talk(scene);
        // HTTP/2 begins with the server's settings.
        assert_eq!(peer.early.is_empty(), speaks != Speaks::Http2);
        assert!(peer.toy.agreed);
        peer
    }

    pub(crate) fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.toy.seal(&[IoSlice::new(plain)], &mut out).unwrap();
        out
    }

    /// Opens what has come, and answers what that asks for; the plain bytes.
    pub(crate) fn open(&mut self, scene: &mut Scene) -> Vec<u8> {
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        self.sealed.extend(scene.world.take_output(self.client));
        while !self.failed {
            let Ok(Received { used, step }) = self.toy.open(&mut self.sealed, &mut out) else {
                self.failed = true;
                return plain;
            };
            match step {
                Step::Event(range) => plain.extend(&self.sealed[range]),
                Step::Done => self.closed = true,
                _ => {}
            }
            self.sealed.drain(..used);
            if used == 0 {
                break;
            }
        }
        if !out.is_empty() {
            scene.world.send(self.client, &out);
        }
        plain
    }

    /// Opens and answers until nothing moves any more.
    pub(crate) fn talk(&mut self, scene: &mut Scene) -> Vec<u8> {
        let mut plain = Vec::new();
        loop {
            let (had, was) = (plain.len(), (self.toy.received, self.toy.sent));
            plain.extend(self.open(scene));
            scene.settle();
            if self.failed || plain.len() == had && was == (self.toy.received, self.toy.sent) {
                return plain;
            }
        }
    }

    pub(crate) fn ask(&mut self, scene: &mut Scene, plain: &[u8]) -> Vec<u8> {
        let sealed = self.seal(plain);
        scene.send(self.client, &sealed);
        self.talk(scene)
    }
}

/// What the loop has said with its alert to one that has heard nothing before.
pub(crate) fn alert(scene: &mut Scene, client: ScriptedClient) -> String {
    let mut peer = Peer::new(client, Role::Client, Speaks::Http);
    peer.open(scene);
    peer.toy.alert
}

/// The stock site, over the toy at the second listener.
pub(crate) fn site(limits: Limits) -> Scene {
    over(Scene::site_with(Setting {
        limits,
        ..Setting::default()
    }))
}

pub(crate) fn over(mut scene: Scene) -> Scene {
    let address = "127.0.0.1:0".parse().unwrap();
    let (owner, profile) = (scene.owner, scene.profile);
    let maker = Toy::maker(Role::Server, Speaks::Http);
    let options = ListenOptions::DEFAULT;
    scene
        .events
        .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
        .unwrap();
    scene
}
