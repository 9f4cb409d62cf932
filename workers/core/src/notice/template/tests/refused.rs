//! What an import refuses.
