//! A member of a channel on /ws/hub that says all it sees: `hub_member.py` over
//! `client::EnvelopeClient`, which reconnects and recovers by itself.
//!
//! usage: `hub_member URL CHANNEL NAME [OTHERS]`

use std::collections::HashMap;
use std::env;
use std::io::{self, BufRead, Write};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use barewire::client::{
    Closed, ConnectAttempt, EnvelopeClient, EnvelopeListener, EnvelopeMessage, EnvelopeOptions,
    EnvelopePublished, EnvelopeRefusal, EnvelopeSender, Receipt, WebSocketOptions, WhileAway,
};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Publications that it may be ahead of any other member.
const WINDOW: u64 = 100;

/// What the member and the thread that reads commands share.
struct Course {
    quota: u64,
    number: u64,
    heard: HashMap<String, u64>,
    /// What was published and not answered.
    asked: HashMap<String, String>,
    is_member: bool,
    name: String,
    channel: String,
}

impl Course {
    fn may_publish(&self) -> bool {
        match self.heard.values().min() {
            Some(slowest) => {
                self.number < self.quota.min(slowest + WINDOW) && self.asked.len() < WINDOW as usize
            }
            None => self.number < self.quota && self.asked.is_empty(),
        }
    }

    fn publish(&mut self, client: &EnvelopeSender) {
        while self.is_member && self.may_publish() {
            let data = format!("{} {}", self.name, self.number + 1);
            let Ok(sent) = client.broadcast(&self.channel, &data) else {
                return; // it is away: once it is back
            };
            self.number += 1;
            self.asked.insert(sent.message_id, data);
        }
    }
}

#[derive(Clone)]
struct Member(Arc<Mutex<Course>>);

impl Member {
    fn course(&self) -> MutexGuard<'_, Course> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked and is answered now.
    fn answered(&self, name: Option<&str>) -> Option<String> {
        self.course().asked.remove(name?)
    }
}

impl EnvelopeListener for Member {
    fn subscribed(&mut self, client: &EnvelopeSender, channel: &str, recovered: Option<bool>) {
        let position = client.position(channel);
        let epoch = position.as_ref().map(|it| it.epoch.to_string());
        say(&json!([
            "joined",
            epoch,
            position.map(|it| it.offset),
            recovered
        ]));
        let mut course = self.course();
        course.is_member = true;
        course.publish(client);
    }

    fn message(&mut self, client: &EnvelopeSender, message: &EnvelopeMessage) {
        let Ok(data) = message.data::<String>() else {
            return say(&json!(["foreign", message.json()]));
        };
        let position = message.position.as_ref();
        let epoch = position.map(|it| it.epoch.to_string());
        say(&json!(["seen", epoch, position.map(|it| it.offset), data]));
        let mut course = self.course();
        if let Some((who, number)) = data.split_once(' ')
            && let (Some(heard), Ok(number)) = (course.heard.get_mut(who), number.parse())
        {
            *heard = number;
        }
        course.publish(client);
    }

    fn published(&mut self, client: &EnvelopeSender, published: &EnvelopePublished) {
        let data = self.answered(published.in_reply_to.as_deref());
        let position = published.position.as_ref();
        let epoch = position.map(|it| it.epoch.to_string());
        say(&json!([
            "published",
            epoch,
            position.map(|it| it.offset),
            data
        ]));
        self.course().publish(client);
    }

    fn refused(&mut self, client: &EnvelopeSender, refusal: &EnvelopeRefusal) {
        let data = self.answered(refusal.in_reply_to.as_deref());
        say(&json!(["refused", refusal.code, data]));
        if refusal.channel.is_some() {
            // It is no member now, and tries to be one again.
            self.course().is_member = false;
            let _ = client.subscribe(&self.course().channel);
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
        self.course().publish(client);
    }

    fn closed(&mut self, _client: &EnvelopeSender, _closed: &Closed, _unknown: &[Receipt]) {
        let mut course = self.course();
        course.is_member = false;
        let unknown: Vec<String> = course.asked.drain().map(|(_, data)| data).collect();
        say(&json!(["lost", unknown]));
    }
}

fn say(what: &Value) {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{what}");
    if written.is_err() {
        process::exit(0); // nobody listens any more
    }
}

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: hub_member URL CHANNEL NAME [OTHERS]")
    };
    let (url, channel, name) = (next()?, next()?, next()?);
    let others = next().unwrap_or_default();
    let others = others.split(',').filter(|it| !it.is_empty());
    let member = Member(Arc::new(Mutex::new(Course {
        quota: 0,
        number: 0,
        heard: others.map(|other| (other.to_owned(), 0)).collect(),
        asked: HashMap::new(),
        is_member: false,
        name,
        channel: channel.clone(),
    })));
    let options = EnvelopeOptions::new().while_away(WhileAway::Refuse);
    let place = Arc::new(Mutex::new(url));
    let ask = {
        let place = place.clone();
        move |_: &ConnectAttempt| {
            let url = place.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((url.clone(), WebSocketOptions::new().no_proxy()))
        }
    };
    let client = EnvelopeClient::connect_by(ask, options, member.clone())?;
    client.subscribe(&channel)?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("go", number)) => {
                let mut course = member.course();
                course.quota = number.parse()?;
                course.publish(&client);
            }
            // Where it goes once its connection is lost.
            Some(("come", url)) => {
                url.clone_into(&mut place.lock().unwrap_or_else(PoisonError::into_inner))
            }
            _ if line == "end" => break,
            _ => return Err(format!("{line}: not known").into()),
        }
    }
    say(&json!(["end"]));
    Ok(())
}
