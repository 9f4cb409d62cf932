//! Tests of the machine of notices.
