//! Locks: shown without ever waiting for them.
//!
//! `serde` serializes a mutex by locking it, which hangs for ever when the caller of a traced function holds the
//! guard. The `Debug` of a lock only tries.

use std::fmt::Debug;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use super::custom::{Capture, Slot};

impl<T: Debug + ?Sized> Capture for Mutex<T> {
    fn capture(&self, slot: &mut Slot<'_>) {
        slot.debug(self);
    }
}

impl<T: Debug + ?Sized> Capture for RwLock<T> {
    fn capture(&self, slot: &mut Slot<'_>) {
        slot.debug(self);
    }
}

/// Locks and pointers to locks, whatever they hold: those whose content has no `Debug` are named and left alone.
pub trait Lock {}

impl<T: ?Sized> Lock for Mutex<T> {}
impl<T: ?Sized> Lock for RwLock<T> {}
impl<T: Lock + ?Sized> Lock for &T {}
impl<T: Lock + ?Sized> Lock for &mut T {}
impl<T: Lock + ?Sized> Lock for Box<T> {}
impl<T: Lock + ?Sized> Lock for Rc<T> {}
impl<T: Lock + ?Sized> Lock for Arc<T> {}
