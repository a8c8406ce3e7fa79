//! A request that is kept until its body is complete.

use alloc::{boxed::Box, vec::Vec};

use crate::http::{self, Content, FieldBuffer, Method, RequestHead, Target, Version};
use crate::link::drain_buffer::DrainBuffer;
use crate::link::{Account, Charge};

/// Bodies up to this size keep their memory when a request goes back to the
/// pool.
const KEPT: usize = 64 * 1024;
const MOST_SPARE: usize = 16;

/// The head of a request, copied, and its body as far as it has arrived.
///
/// The body grows with what arrives, never with what was announced.
#[derive(Debug)]
pub struct BufferedRequest {
    line: Vec<u8>, // method, target and protocol, one after the other
    method: usize, // where the method ends in `line`
    target: usize, // where the target ends in `line`
    version: Version,
    has_protocol: bool,
    fields: FieldBuffer,
    body: DrainBuffer, // drained where it is an inbox
    limit: usize,
    charge: Charge, // for all but the body
}

impl BufferedRequest {
    const fn new() -> Self {
        Self {
            line: Vec::new(),
            method: 0,
            target: 0,
            version: Version::Http11,
            has_protocol: false,
            fields: FieldBuffer::new(),
            body: DrainBuffer::new(),
            limit: 0,
            charge: Charge::NONE,
        }
    }

    pub(in crate::link) fn inbox(account: Option<&Account>) -> Box<Self> {
        let mut inbox = Box::new(Self::new());
        inbox.charge_to(account);
        inbox
    }

    /// Copies `head`; the body may become `limit` bytes long.
    fn fill(&mut self, head: &RequestHead<'_>, limit: usize) {
        self.line.clear();
        self.line.extend_from_slice(head.method.as_str().as_bytes());
        self.method = self.line.len();
        put_target(&head.target, &mut self.line);
        self.target = self.line.len();
        self.has_protocol = head.protocol.is_some();
        self.line
            .extend_from_slice(head.protocol.unwrap_or_default().as_bytes());
        self.version = head.version;
        self.fields.clear();
        // A head that a machine accepted is within its limits, far below the
        // 4 GiB where this could fail.
        let _ = self.fields.extend(head.fields);
        self.body.clear();
        self.limit = limit;
        self.book();
    }

    fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.move_to(account);
        self.body.charge_to(account);
        self.book();
    }

    fn book(&mut self) {
        self.charge.set(self.memory());
    }

    /// How much more memory `n` further bytes of the body would take.
    pub(in crate::link) fn growth(&self, n: usize) -> usize {
        let len = (self.body.len() + n).min(self.limit);
        let capacity = self.body.memory();
        match len > capacity {
            true => len.max(2 * capacity) - capacity,
            false => 0,
        }
    }

    /// Appends a piece of the body; `false` if that would exceed the limit.
    pub(super) fn append(&mut self, piece: &[u8]) -> bool {
        if piece.len() > self.limit.saturating_sub(self.body.len()) {
            return false;
        }
        self.body.push(piece);
        true
    }

    pub(in crate::link) fn keep(&mut self, bytes: &[u8]) {
        self.body.push(bytes);
    }

    /// The bytes that were not looked at yet.
    pub(in crate::link) fn unused(&mut self) -> &mut [u8] {
        self.body.unused_mut()
    }

    /// Drops the first `n` unused bytes; whether some are left.
    pub(in crate::link) fn advance(&mut self, n: usize) -> bool {
        self.body.advance(n);
        !self.body.is_empty()
    }

    pub(super) fn keep_fields(&mut self, fields: http::Fields<'_>) {
        // As in `fill`.
        let _ = self.fields.extend(fields);
        self.book();
    }

    pub(in crate::link) fn fields(&self) -> http::Fields<'_> {
        self.fields.as_fields()
    }

    fn clear(&mut self) {
        self.fields.clear();
        self.body.clear();
        self.body.release(KEPT);
        self.book();
    }

    const fn memory(&self) -> usize {
        size_of::<Self>() + self.line.capacity() + self.fields.memory()
    }

    pub(in crate::link) fn request(&mut self) -> (RequestHead<'_>, Content<'_>) {
        let text = |from: usize, to: usize| {
            self.line
                .get(from..to)
                .and_then(|text| core::str::from_utf8(text).ok())
                .unwrap_or("")
        };
        // What a head gave is parsed again: it cannot fail, and falls back to
        // what no route serves.
        let method = Method::new(text(0, self.method).as_bytes()).unwrap_or(Method::Extension(""));
        let target = Target::parse(text(self.method, self.target).as_bytes(), method);
        let head = RequestHead {
            method,
            target: target.unwrap_or(Target::Asterisk),
            version: self.version,
            protocol: self
                .has_protocol
                .then(|| text(self.target, self.line.len())),
            fields: self.fields.as_fields(),
        };
        let content = if self.body.is_empty() {
            Content::None
        } else {
            Content::Whole(self.body.unused_mut())
        };
        (head, content)
    }
}

/// Writes a target as it stands in a request line.
fn put_target(target: &Target<'_>, out: &mut Vec<u8>) {
    let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
    match *target {
        Target::Origin { path, .. } => put(path),
        Target::Absolute {
            scheme,
            authority,
            path,
            ..
        } => {
            put(scheme);
            put("://");
            put(authority);
            put(path);
        }
        Target::Authority(authority) => put(authority),
        Target::Asterisk => put("*"),
    }
    if let Some(query) = target.query() {
        put("?");
        put(query);
    }
}

/// The memory of buffered requests that are not in use, kept for the next.
#[derive(Debug, Default)]
pub struct RequestPool {
    #[expect(clippy::vec_box, reason = "a link holds a pointer, not the request")]
    spare: Vec<Box<BufferedRequest>>,
    account: Option<Account>, // of those that are spare
}

impl RequestPool {
    /// An empty pool; allocates nothing.
    pub const fn new() -> Self {
        Self {
            spare: Vec::new(),
            account: None,
        }
    }

    /// Charges what is kept for the next use to an account.
    pub fn charge_to(&mut self, account: &Account) {
        self.account = Some(account.clone());
    }

    /// Frees what is kept for the next use.
    pub fn release(&mut self) {
        self.spare = Vec::new();
    }

    /// Parks the request with this head, whose body may become `limit` bytes
    /// long.
    pub(in crate::link) fn park(
        &mut self,
        head: &RequestHead<'_>,
        limit: usize,
        account: Option<&Account>,
    ) -> Box<BufferedRequest> {
        let mut buffered_request = self
            .spare
            .pop()
            .unwrap_or_else(|| Box::new(BufferedRequest::new()));
        buffered_request.fill(head, limit);
        buffered_request.charge_to(account);
        buffered_request
    }

    /// Takes back a request that is no longer needed.
    pub fn put_back(&mut self, mut buffered_request: Box<BufferedRequest>) {
        if self.spare.len() < MOST_SPARE {
            buffered_request.clear();
            buffered_request.charge_to(self.account.as_ref());
            self.spare.push(buffered_request);
        }
    }
}

#[cfg(test)]
mod tests;
