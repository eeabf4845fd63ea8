//! See the test names.

mod fakes;
