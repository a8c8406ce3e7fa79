//! Values that middleware hands to handlers.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId, type_name};
use core::fmt;

/// Values that middleware has put to a request, one of each type.
///
/// [`Incoming::insert`](crate::app::Incoming::insert), which has an example, puts
/// a value in, and so does [`Call::insert`](crate::app::Call::insert) in an interceptor;
/// [`Request::extensions`](crate::app::Request::extensions),
/// [`Call::extensions`](crate::app::Call::extensions) and
/// [`Record::extensions`](crate::app::Record::extensions) show them. A client
/// cannot put anything here, unlike into a field.
#[derive(Default, Clone)]
pub struct Extensions {
    values: Vec<Value>, // few: looked through one by one
}

#[derive(Clone)]
struct Value {
    id: TypeId,
    name: &'static str, // for `Debug`
    value: Arc<dyn Any + Send + Sync>,
}

impl Extensions {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new() }
    }

    #[inline]
    pub(crate) fn none() -> &'static Self {
        static NONE: Extensions = Extensions::new();
        &NONE
    }

    /// The value of this type, if there is one.
    pub fn get<T: Any>(&self) -> Option<&T> {
        let wanted = TypeId::of::<T>();
        let found = self.values.iter().find(|it| it.id == wanted)?;
        found.value.downcast_ref()
    }

    /// Whether there is a value of this type.
    pub fn contains<T: Any>(&self) -> bool {
        self.get::<T>().is_some()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it is empty.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Replaces the value of this type; returns the former one unless it is shared.
    pub(crate) fn insert<T: Any + Send + Sync>(&mut self, value: T) -> Option<T> {
        let id = TypeId::of::<T>();
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        match self.values.iter_mut().find(|it| it.id == id) {
            Some(it) => {
                let before = core::mem::replace(&mut it.value, value);
                before.downcast().ok().and_then(Arc::into_inner)
            }
            None => {
                let name = type_name::<T>();
                self.values.push(Value { id, name, value });
                None
            }
        }
    }
}

/// The types of the values.
impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.values.iter().map(|it| Name(it.name));
        f.debug_set().entries(names).finish()
    }
}

/// A name that `Debug` shows without quotes.
struct Name(&'static str);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests;
