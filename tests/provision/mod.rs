//! `provision plan` on hosts that are directories: `NN-name/{roster.yaml,args,modes,root/}` in,
//! `NN-name/expected.txt` out: standard output, standard error, exit code.

pub(crate) mod apply;
mod configured;
mod hostile_homes;
