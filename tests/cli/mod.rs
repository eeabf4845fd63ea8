//! See the test names.
