//! HTTP/1.1 requests, and replies that are all alike.

use std::io::{self, Error};

use crate::drive::Replies;
use crate::options::Options;

/// The request: 170 bytes and four fields for a GET of `/hello`.
pub fn request(options: &Options, body: &[u8]) -> Vec<u8> {
    let (path, host) = (&options.path, options.host());
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101";
    let method = if body.is_empty() { "GET" } else { "POST" };
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: text/html,text/plain\r\n")
            .into_bytes();
    if body.is_empty() {
        request.extend_from_slice(b"Accept-Language: en\r\n\r\n");
    } else {
        let fields = format!(
            "Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        request.extend_from_slice(fields.as_bytes());
        request.extend_from_slice(body);
    }
    request
}

/// Compares replies with what they must be.
pub struct HttpReplies {
    body: Vec<u8>,
    /// The head that was read last; only its date changes.
    known: Vec<u8>,
    /// A head that is not whole yet.
    head: Vec<u8>,
    /// How far the body has come, if the head is over.
    at: Option<usize>,
}

impl HttpReplies {
    pub fn new(body: Vec<u8>) -> Self {
        Self {
            body,
            known: Vec::new(),
            head: Vec::new(),
            at: None,
        }
    }

    /// Takes the front of `bytes` as a head, or as a part of one.
    fn take_head<'b>(&mut self, bytes: &'b [u8]) -> io::Result<&'b [u8]> {
        if self.head.is_empty() && !self.known.is_empty() && bytes.starts_with(&self.known) {
            self.at = Some(0);
            return Ok(&bytes[self.known.len()..]);
        }
        for (index, &byte) in bytes.iter().enumerate() {
            self.head.push(byte);
            if self.head.ends_with(b"\r\n\r\n") {
                self.judge()?;
                self.known = std::mem::take(&mut self.head);
                self.at = Some(0);
                return Ok(&bytes[index + 1..]);
            }
        }
        Ok(&[])
    }

    fn judge(&self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.head).to_ascii_lowercase();
        let length = format!("\r\ncontent-length: {}\r\n", self.body.len());
        if text.starts_with("http/1.1 200 ") && text.contains(&length) {
            return Ok(());
        }
        Err(Error::other(format!("a wrong head: {text:?}")))
    }
}

impl Replies for HttpReplies {
    fn check(&mut self, mut bytes: &[u8]) -> io::Result<u64> {
        let mut count = 0;
        while !bytes.is_empty() {
            let Some(at) = self.at else {
                bytes = self.take_head(bytes)?;
                continue;
            };
            let length = bytes.len().min(self.body.len() - at);
            if bytes[..length] != self.body[at..at + length] {
                return Err(Error::other("a wrong body"));
            }
            bytes = &bytes[length..];
            self.at = Some(at + length);
            if at + length == self.body.len() {
                self.at = None;
                count += 1;
            }
        }
        Ok(count)
    }
}
