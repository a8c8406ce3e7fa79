//! Tasks for a loop, from any thread.

use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::asker::Asker;
use super::kept::FutureError;
use crate::net::{
    Claim, Context, FutureSlot, FuturesHandle, Remote, Resource, Sleep, current_loop,
};
use crate::wire::partly_shown;

/// A task that begins on its loop.
pub(super) type Task = Pin<Box<dyn Future<Output = ()>>>;
type SendTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Begins tasks on one loop: futures without a result, which are polled there beside what it
/// serves. Clones begin them on the same loop.
///
/// [`Reply::spawner`](crate::app::Reply::spawner) gives one for tasks of the app, which end
/// with the loop at the latest; [`Reply::future_with`](crate::app::Reply::future_with) one for
/// tasks of the request, which are dropped with its exchange. [`Spawner::current`] is that of
/// the app wherever code runs on a loop, such as in the `spawner` of a `DataLoader`.
///
/// Each task counts for [`Limits::futures`](crate::net::Limits::futures) of the loop. One of a
/// request, and one that a future begins as it is polled on this loop, also counts for the
/// connection and address of the exchange that is polled, until the task is over.
#[derive(Clone)]
pub struct Spawner {
    reach: Arc<Reach>,
    group: Option<Arc<Membership>>,
}

partly_shown!(it: Spawner { is_of_request: it.group.is_some() });

/// The parts of a loop's tasks that other threads reach.
struct Reach {
    futures: FuturesHandle,
    remote: Remote,
    queue: Mutex<Queue>,
    /// Has the loop look at the queue.
    waker: Waker,
}

#[derive(Default)]
struct Queue {
    arrived: Vec<Arrival<SendTask>>,
    ended: Vec<Arc<Membership>>,
    is_closed: bool,
}

/// A task on its way to the loop.
pub(super) struct Arrival<T> {
    pub(super) task: T,
    pub(super) asker: Asker,
    pub(super) claim: Claim,
    pub(super) group: Option<Arc<Membership>>,
}

/// The exchange that tasks belong to.
pub(super) struct Membership {
    asker: Asker,
    is_over: AtomicBool,
    /// The numbers of its tasks.
    tasks: Mutex<Vec<u64>>,
}

impl Membership {
    pub(super) fn tasks(&self) -> MutexGuard<'_, Vec<u64>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

impl Reach {
    /// No code of others runs under the lock.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawner {
    /// That of the app whose loop runs on this thread at the moment: in a handler, or where a
    /// future is polled.
    pub fn current() -> Option<Self> {
        Some(home(current_loop())?.spawner.clone())
    }

    /// Begins a task, from whatever thread. It is polled in the loop's present turn or in its
    /// next; should it panic, it is dropped, and that is counted.
    ///
    /// # Errors
    /// [`FutureError`] if there may be no further future, or what it would belong to is over.
    pub fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), FutureError> {
        let arrival = self.arrival(Box::pin(task) as SendTask)?;
        let mut queue = self.reach.queue();
        if queue.is_closed {
            drop(queue);
            return Err(FutureError::Over);
        }
        queue.arrived.push(arrival);
        drop(queue);
        self.reach.waker.wake_by_ref();
        Ok(())
    }

    /// Begins a task that need not be [`Send`], on the loop's own thread.
    ///
    /// # Errors
    /// Those of [`spawn`](Self::spawn), and [`FutureError::OtherThread`] elsewhere.
    pub fn spawn_local(&self, task: impl Future<Output = ()> + 'static) -> Result<(), FutureError> {
        let home = home(self.reach.futures.id()).ok_or(FutureError::OtherThread)?;
        let arrival = self.arrival(Box::pin(task) as Task)?;
        home.arrived.borrow_mut().push(arrival);
        self.reach.waker.wake_by_ref();
        Ok(())
    }

    /// A future that is ready after this time, to be awaited on any thread. The loop wakes it.
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.reach.futures.sleep(time)
    }

    fn arrival<T>(&self, task: T) -> Result<Arrival<T>, FutureError> {
        let group = self.group.clone();
        let asker = match &group {
            Some(group) if group.is_over() => return Err(FutureError::Over),
            Some(group) => group.asker,
            None if self.reach.futures.id() == current_loop() => Asker::current(),
            None => Asker::NONE,
        };
        let Asker { peer, exchange } = asker;
        let claim = self.reach.remote.claim(Resource::Futures, peer, exchange)?;
        Ok(Arrival {
            task,
            asker,
            claim,
            group,
        })
    }

    /// A spawner of tasks of the exchange at hand.
    pub(super) fn of_exchange(&self, context: &Context<'_>) -> (Self, Arc<Membership>) {
        let membership = Arc::new(Membership {
            asker: Asker::of(context),
            is_over: AtomicBool::new(false),
            tasks: Mutex::new(Vec::new()),
        });
        let spawner = Self {
            reach: self.reach.clone(),
            group: Some(membership.clone()),
        };
        (spawner, membership)
    }

    /// The exchange of these tasks is over: the loop drops them.
    pub(super) fn end(&self, group: &Arc<Membership>) {
        group.is_over.store(true, Ordering::Release);
        self.reach.queue().ended.push(group.clone());
        self.reach.waker.wake_by_ref();
    }
}

/// Where the tasks of a loop begin: known by that loop's name on its thread.
pub(crate) struct Home {
    spawner: Spawner,
    arrived: RefCell<Vec<Arrival<Task>>>,
    _slot: FutureSlot,
}

std::thread_local! {
    static HOMES: RefCell<Vec<(usize, Weak<Home>)>> = const { RefCell::new(Vec::new()) };
}

/// The home of a loop of this thread: few have more than one.
fn home(id: usize) -> Option<Rc<Home>> {
    HOMES.with_borrow(|homes| {
        let mut of_loop = homes.iter().filter(|(other, _)| *other == id);
        of_loop.find_map(|(_, home)| home.upgrade())
    })
}

impl Home {
    /// The home of the tasks of this context's owner, who is called with `token` for what
    /// arrives.
    pub(crate) fn open(context: &mut Context<'_>, token: u64) -> Rc<Self> {
        let slot = context.task_slot(token);
        let futures = context.futures();
        let id = futures.id();
        let reach = Arc::new(Reach {
            futures,
            remote: context.remote(),
            queue: Mutex::default(),
            waker: slot.waker(),
        });
        let home = Rc::new(Self {
            spawner: Spawner { reach, group: None },
            arrived: RefCell::default(),
            _slot: slot,
        });
        HOMES.with_borrow_mut(|homes| {
            homes.retain(|(_, home)| home.strong_count() > 0);
            homes.push((id, Rc::downgrade(&home)));
        });
        home
    }

    pub(super) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// The tasks that have arrived, and groups that are over.
    pub(super) fn take(&self) -> (Vec<Arrival<Task>>, Vec<Arc<Membership>>) {
        let mut arrived = self.arrived.take();
        let mut queue = self.spawner.reach.queue();
        let (sent, ended) = (mem::take(&mut queue.arrived), mem::take(&mut queue.ended));
        drop(queue);
        arrived.extend(sent.into_iter().map(|it| Arrival {
            task: it.task as Task,
            asker: it.asker,
            claim: it.claim,
            group: it.group,
        }));
        (arrived, ended)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let mut queue = self.spawner.reach.queue();
        queue.is_closed = true;
        let rest = (mem::take(&mut queue.arrived), mem::take(&mut queue.ended));
        drop(queue);
        drop(rest); // an application's own, and so not under the lock
    }
}
