//! `grpc.health.v1.Health`: which services are fit to be called.

use alloc::{boxed::Box, collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use core::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::codec::{CallStatus, Payload};
use super::inbox::exhausted;
use super::responses::{ResponseStream, ServerStream};
use super::service::Service;
use crate::app::publishing::handle::Handle;
use crate::grpc::protobuf::{Fields, Value, put_bytes, put_number};
use crate::grpc::{Code, Status};
use crate::link::Charge;

/// Whether a service is fit to be called (`HealthCheckResponse.ServingStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServingStatus {
    /// Nothing is known.
    Unknown,
    /// It is.
    Serving,
    /// It is not.
    NotServing,
}

impl ServingStatus {
    const fn number(self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Serving => 1,
            Self::NotServing => 2,
        }
    }
}

/// The number that watchers of a service get that is not known:
/// SERVICE_UNKNOWN.
const SERVICE_UNKNOWN: u64 = 3;

/// The health of an app's services, for load balancers and other clients: the
/// service `grpc.health.v1.Health`, with `Check`, `Watch` and `List`.
///
/// Clones are the same health; it is set from any thread, and a client that watches
/// is told. The whole server is the service without a name, and serves until
/// something else is said.
///
/// ```
/// use barewire::app::{App, Health, ServingStatus};
///
/// let health = Health::new();
/// health.set("echo.Echo", ServingStatus::Serving);
/// let app = App::new().grpc(health.service());
/// std::thread::spawn(move || health.set("echo.Echo", ServingStatus::NotServing));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<String, ServingStatus>,
    watchers: BTreeMap<u64, Watcher>, // by their sessions' numbers
    stopped: bool,
}

#[derive(Debug)]
struct Watcher {
    service: Arc<str>,
    handle: Handle,
}

/// The most services that are listed.
const LISTED: usize = 100;

impl State {
    fn find(&self, service: &str) -> Option<ServingStatus> {
        let known = self.services.get(service).copied();
        let known = known.or_else(|| service.is_empty().then_some(ServingStatus::Serving))?;
        Some(match self.stopped {
            true => ServingStatus::NotServing,
            false => known,
        })
    }

    fn number(&self, service: &str) -> u64 {
        self.find(service)
            .map_or(SERVICE_UNKNOWN, ServingStatus::number)
    }

    fn tell(&self, of: Option<&str>) {
        for Watcher { service, handle } in self.watchers.values() {
            if of.is_none_or(|changed| *changed == **service) {
                // The stream of a full mailbox hears of the next change.
                let _ = handle.mail(Changed);
            }
        }
    }
}

/// The message to watchers. They read the state themselves, so that none gets an
/// outdated one.
struct Changed;

impl Health {
    /// The whole server serves, and no service is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the health of a service, by its name with its package; of the
    /// whole server where that is empty.
    pub fn set(&self, service: &str, serving: ServingStatus) {
        let mut state = self.lock();
        let before = state.services.insert(String::from(service), serving);
        if before != Some(serving) {
            state.tell(Some(service));
        }
    }

    /// Forgets a service: checks of it are answered with NOT_FOUND, watchers
    /// with SERVICE_UNKNOWN.
    pub fn remove(&self, service: &str) {
        let mut state = self.lock();
        if state.services.remove(service).is_some() {
            state.tell(Some(service));
        }
    }

    /// Says that nothing serves any more, for good: before a shutdown, so that
    /// clients go elsewhere first.
    pub fn stop(&self) {
        let mut state = self.lock();
        if !core::mem::replace(&mut state.stopped, true) {
            state.tell(None);
        }
    }

    /// The service.
    pub fn service(&self) -> Service {
        let [check, watch, list] = [self.clone(), self.clone(), self.clone()];
        Service::new("grpc.health.v1.Health")
            .unary(
                "Check",
                move |CheckRequest(service): CheckRequest, _call| {
                    let serving = check.lock().find(&service);
                    let serving = serving.ok_or(Status::new(Code::NotFound, "unknown service"))?;
                    Ok(Told(serving.number()))
                },
            )
            .server_streaming_object(
                "Watch",
                move |CheckRequest(service): CheckRequest, _call| {
                    Ok(Watch {
                        health: watch.clone(),
                        service: service.into(),
                        charge: Charge::NONE,
                        session: None,
                        last: None,
                    })
                },
            )
            .unary("List", move |_request: Vec<u8>, _call| list.list())
    }

    fn list(&self) -> Result<Vec<u8>, CallStatus> {
        let state = self.lock();
        let mut names: Vec<&str> = state.services.keys().map(String::as_str).collect();
        if !state.services.contains_key("") {
            names.insert(0, "");
        }
        if names.len() > LISTED {
            let status = Status::new(Code::ResourceExhausted, "too many services to list");
            return Err(status.into());
        }
        let mut out = Vec::new();
        for name in names {
            let (mut told, mut entry) = (Vec::new(), Vec::new());
            put_number(1, state.number(name), &mut told);
            put_bytes(1, name.as_bytes(), &mut entry);
            put_bytes(2, &told, &mut entry);
            put_bytes(1, &entry, &mut out);
        }
        Ok(out)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No change is ever left half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct CheckRequest(String);

impl Payload for CheckRequest {
    const CODECS: &'static [&'static str] = &["proto"];

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        let malformed = || Status::new(Code::Internal, "malformed HealthCheckRequest");
        let mut service = "";
        for field in Fields::new(bytes) {
            if let (1, value) = field.map_err(|_| malformed())? {
                service = value.text().ok_or_else(malformed)?;
            }
        }
        Ok(Self(service.into()))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(1, self.0.as_bytes(), out);
    }
}

/// `HealthCheckResponse`.
struct Told(u64);

impl Payload for Told {
    const CODECS: &'static [&'static str] = &["proto"];

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        let malformed = || Status::new(Code::Internal, "malformed HealthCheckResponse");
        let mut told = 0;
        for field in Fields::new(bytes) {
            if let (1, Value::Number(number)) = field.map_err(|_| malformed())? {
                told = number;
            }
        }
        Ok(Self(told))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_number(1, self.0, out);
    }
}

struct Watch {
    health: Health,
    service: Arc<str>,
    charge: Charge, // for `service`, which the client has made as long as it likes
    session: Option<u64>,
    last: Option<u64>, // what it was told
}

impl Watch {
    fn tell(&mut self, stream: &mut ResponseStream<'_, '_, Told>, number: u64) {
        if self.last.replace(number) != Some(number) {
            stream.send(&Told(number));
        }
    }
}

impl ServerStream for Watch {
    type Message = Told;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Told>) {
        self.charge = stream.charge();
        if self.charge.try_grow(self.service.len()).is_err() {
            return stream.finish(exhausted());
        }
        let health = self.health.clone();
        let mut state = health.lock();
        if let Some(handle) = stream.handle() {
            self.session = Some(handle.id());
            let service = self.service.clone();
            state
                .watchers
                .insert(handle.id(), Watcher { service, handle });
        }
        let number = state.number(&self.service);
        drop(state);
        self.tell(stream, number);
    }

    fn mail(&mut self, stream: &mut ResponseStream<'_, '_, Told>, mail: Box<dyn Any + Send>) {
        if mail.is::<Changed>() {
            let number = self.health.lock().number(&self.service);
            self.tell(stream, number);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(session) = self.session {
            self.health.lock().watchers.remove(&session);
        }
    }
}
