//! Supervision orders in the store. They are written by acts ([`super::store::ActStore`]); here they are read.

use super::store::{StoreError, Which};
use crate::ids::{OfficerId, OrderId};
use crate::supervision::{Audience, Order};
use async_trait::async_trait;

/// Which orders to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// Those not closed, or all.
    pub which: Which,
    /// For whose eyes.
    pub audiences: Vec<Audience>,
    /// Addressed to one of these people only; none: to anybody.
    pub addressees: Option<Vec<OfficerId>>,
    /// At most this many.
    pub limit: u32,
}

/// Reading orders.
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Orders, newest first.
    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>, StoreError>;

    /// One order.
    async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError>;
}
