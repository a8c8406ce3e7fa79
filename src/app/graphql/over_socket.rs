//! Operations on a WebSocket: `graphql-transport-ws` and the legacy `graphql-ws`.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem::take;

use super::executor::{Executor, GraphQlConnection, Operation};
use super::guarded::{Verdict, connect};
use super::response::GraphQlResponse;
use super::shared::{Origin, Shared, busy, listens};
use crate::app::exchange::extensions::Extensions;
use crate::app::futures::jobs::FutureId;
use crate::app::futures::kept::FutureError;
use crate::app::publishing::message::Message;
use crate::app::sockets::socket::Socket;
use crate::app::sockets::websocket::{SocketEnd, WebSocket};
use crate::graphql::socket::{CloseCode, Closing, Protocol, Server, ServerEvent};
use crate::graphql::{Request, RequestError};
use crate::link::Charge;
use crate::websocket;
use crate::wire::json::members;

/// The object of a WebSocket.
pub(super) struct GraphQlSocket<E> {
    shared: Arc<Shared<E>>,
    extensions: Option<Arc<Extensions>>,
    /// What the operations share; none on a WebSocket without a subprotocol.
    state: Option<Rc<RefCell<State>>>,
    /// For the ids of operations, and what was said at the beginning.
    charge: Charge,
}

struct State {
    machine: Server,
    init: Option<Arc<str>>,
    extensions: Option<Arc<Extensions>>,
    /// Decides whether the client is accepted.
    deciding: Option<FutureId>,
    /// Operations that came before that (legacy).
    early: Vec<(String, Operation)>,
    running: BTreeMap<String, FutureId>,
    out: String,
}

impl<E> GraphQlSocket<E> {
    pub(super) const fn new(shared: Arc<Shared<E>>, extensions: Option<Arc<Extensions>>) -> Self {
        Self {
            shared,
            extensions,
            state: None,
            charge: Charge::NONE,
        }
    }
}

impl State {
    /// Has the machine write a message, and sends it.
    fn say<R>(
        &mut self,
        socket: &mut Socket<'_, '_>,
        act: impl FnOnce(&mut Server, &mut String) -> R,
    ) -> R {
        self.out.clear();
        let result = act(&mut self.machine, &mut self.out);
        if !self.out.is_empty() {
            socket.send(&*self.out);
        }
        self.out.shrink_to(4 << 10);
        result
    }

    /// Sends a response; it is the last one if it has no data.
    fn next(&mut self, id: &str, response: &GraphQlResponse, socket: &mut Socket<'_, '_>) {
        match errors_of(response) {
            None => {
                self.say(socket, |it, out| it.next(id, response.json(), out));
            }
            Some(errors) => {
                self.say(socket, |it, out| it.error(id, errors, out));
                self.forget(id, socket);
            }
        }
    }

    fn complete(&mut self, id: &str, socket: &mut Socket<'_, '_>) {
        self.say(socket, |it, out| it.complete(id, out));
        self.running.remove(id);
    }

    fn forget(&mut self, id: &str, socket: &mut Socket<'_, '_>) {
        if let Some(future) = self.running.remove(id) {
            socket.cancel(future);
        }
        self.early.retain(|(early, _)| early != id);
    }

    /// Drops all that runs and waits.
    fn stop(&mut self, socket: &mut Socket<'_, '_>) {
        let running = take(&mut self.running).into_values();
        for future in running.chain(self.deciding.take()) {
            socket.cancel(future);
        }
        self.early.clear();
    }

    /// Stops all operations, and closes.
    fn close(&mut self, closing: &Closing, socket: &mut Socket<'_, '_>) {
        self.stop(socket);
        close(closing, socket);
    }
}

fn close(closing: &Closing, socket: &mut Socket<'_, '_>) {
    let code = websocket::CloseCode::new(closing.code.code());
    // Refused only if it is closing already.
    let _ = socket.close(code, &closing.reason);
}

/// The errors of a response without data.
fn errors_of(response: &GraphQlResponse) -> Option<&str> {
    if response.has_data {
        return None;
    }
    let found = members(response.json(), ["errors"]).ok();
    Some(found.and_then(|[errors]| errors).unwrap_or("[]"))
}

impl<E: Executor> GraphQlSocket<E> {
    fn receive(&mut self, text: &str, socket: &mut Socket<'_, '_>) {
        let Some(state) = self.state.clone() else {
            return;
        };
        let limits = &self.shared.limits;
        let received = state
            .borrow_mut()
            .say(socket, |it, out| it.receive(text, limits, out));
        match received {
            Err(closing) => state.borrow_mut().close(&closing, socket),
            Ok(None) => {}
            Ok(Some(ServerEvent::Init { payload })) => {
                self.connect(payload.map(Arc::from), &state, socket);
            }
            Ok(Some(ServerEvent::Complete { id })) => state.borrow_mut().forget(&id, socket),
            Ok(Some(ServerEvent::Subscribe {
                id,
                request,
                replaces,
            })) => {
                if replaces {
                    state.borrow_mut().forget(&id, socket);
                }
                self.begin(&id, request, &state, socket);
            }
        }
        let state = state.borrow();
        let said = state.init.as_ref().map_or(0, |it| it.len());
        self.charge.set(said + state.machine.held());
    }

    /// A client says who it is.
    fn connect(
        &self,
        payload: Option<Arc<str>>,
        state: &Rc<RefCell<State>>,
        socket: &mut Socket<'_, '_>,
    ) {
        state.borrow_mut().init.clone_from(&payload);
        let client = GraphQlConnection {
            payload,
            spawner: socket.spawner(),
            extensions: self.extensions.clone(),
        };
        let deciding = connect(self.shared.executor.clone(), client);
        let (shared, of) = (self.shared.clone(), state.clone());
        let begun = socket.future(deciding, move |(client, verdict), socket| {
            decide(&shared, &of, (client, verdict), socket);
        });
        let mut state = state.borrow_mut();
        match begun {
            Ok(future) => state.deciding = Some(future),
            Err(_) => {
                let closing = state.machine.fail();
                state.close(&closing, socket);
            }
        }
    }

    fn begin(
        &self,
        id: &str,
        mut request: Request<'_>,
        state: &Rc<RefCell<State>>,
        socket: &mut Socket<'_, '_>,
    ) {
        if let Err(error) = self.shared.resolve(&mut request) {
            return refuse(id, error, &mut state.borrow_mut(), socket);
        }
        let mut held = state.borrow_mut();
        let origin = Origin {
            init: held.init.clone(),
            extensions: held.extensions.clone(),
            spawner: socket.spawner(),
        };
        match Shared::<E>::operation(request, origin, socket.charge()) {
            Err(_) => held.next(id, &busy(&FutureError::Memory), socket),
            Ok(operation) if held.machine.is_ready() => {
                drop(held);
                start(&self.shared, id, operation, state, socket);
            }
            Ok(operation) => held.early.push((id.into(), operation)),
        }
    }
}

/// A client is accepted, or not.
fn decide<E: Executor>(
    shared: &Shared<E>,
    state: &Rc<RefCell<State>>,
    (client, verdict): (GraphQlConnection, Verdict),
    socket: &mut Socket<'_, '_>,
) {
    let mut held = state.borrow_mut();
    let closing = match verdict {
        Some(Ok(answer)) => {
            held.say(socket, |it, out| it.accept(answer.as_deref(), out));
            held.extensions = client.extensions;
            let early = take(&mut held.early);
            drop(held);
            for (id, mut operation) in early {
                operation.extensions.clone_from(&state.borrow().extensions);
                start(shared, &id, operation, state, socket);
            }
            return;
        }
        Some(Err(reason)) => held.say(socket, |it, out| it.refuse(&reason, out)),
        None => held.machine.fail(),
    };
    held.close(&closing, socket);
}

fn start<E: Executor>(
    shared: &Shared<E>,
    id: &str,
    operation: Operation,
    state: &Rc<RefCell<State>>,
    socket: &mut Socket<'_, '_>,
) {
    let begun = run(shared, id, operation, state, socket);
    let mut state = state.borrow_mut();
    match begun {
        Ok(future) if state.machine.is_live(id) => {
            state.running.insert(id.into(), future);
        }
        Ok(_) => {}
        Err(error) => state.next(id, &busy(&error), socket),
    }
}

fn run<E: Executor>(
    shared: &Shared<E>,
    id: &str,
    operation: Operation,
    state: &Rc<RefCell<State>>,
    socket: &mut Socket<'_, '_>,
) -> Result<FutureId, FutureError> {
    let (state, id) = (state.clone(), String::from(id));
    if listens(&operation) {
        let stream = shared.subscribe(operation);
        return socket.stream(stream, move |response, socket| {
            let mut state = state.borrow_mut();
            match response {
                Some(response) => state.next(&id, &response, socket),
                None => state.complete(&id, socket),
            }
        });
    }
    socket.future(shared.execute(operation), move |response, socket| {
        let mut state = state.borrow_mut();
        state.next(&id, &response, socket);
        if response.has_data {
            state.complete(&id, socket);
        }
    })
}

fn refuse(id: &str, error: RequestError, state: &mut State, socket: &mut Socket<'_, '_>) {
    let mut errors = String::from("[");
    error.write(&mut errors);
    errors.push(']');
    state.say(socket, |it, out| it.error(id, &errors, out));
}

impl<E: Executor> WebSocket for GraphQlSocket<E> {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        self.charge = socket.charge();
        let Some(protocol) = socket.protocol().and_then(Protocol::named) else {
            let closing = Closing::from(CloseCode::SubprotocolNotAcceptable);
            return close(&closing, socket);
        };
        let limits = &self.shared.limits;
        let machine = Server::new(protocol, socket.now(), limits);
        self.state = Some(Rc::new(RefCell::new(State {
            machine,
            init: None,
            extensions: self.extensions.clone(),
            deciding: None,
            early: Vec::new(),
            running: BTreeMap::new(),
            out: String::new(),
        })));
        socket.after(limits.init_time, 0);
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        // What is not text is not JSON.
        self.receive(message.as_text().unwrap_or_default(), socket);
    }

    fn timer(&mut self, socket: &mut Socket<'_, '_>, _token: u32) {
        if let Some(state) = &self.state {
            let mut state = state.borrow_mut();
            if let Err(closing) = state.machine.elapsed(socket.now()) {
                state.close(&closing, socket);
            }
        }
    }

    fn closed(&mut self, socket: &mut Socket<'_, '_>, _: SocketEnd<'_>) {
        if let Some(state) = &self.state {
            state.borrow_mut().stop(socket);
        }
    }
}
