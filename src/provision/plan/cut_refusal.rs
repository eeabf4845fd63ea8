//! Why a user who left is not cut: the reasons as a plan prints them (pure).

/// Why a user who left is not cut.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum CutRefusal {
    #[error("admins are not cut by a change of the roster")]
    Admin { user: String },
    #[error("cannot determine group members: {0}")]
    MembersUnknown(String),
    #[error("the roster is empty, and an empty roster cuts no users")]
    EmptyRoster,
    #[error("{number} of {all} users would be cut, more than {max} %")]
    TooMany { number: usize, all: usize, max: u8 },
    #[error("its identity belongs to {now} in the roster")]
    IdentityInUse { user: String, now: String },
    #[error("uid {uid} belongs to {}, too", others.join(", "))]
    SharedUid { uid: u32, others: Vec<String> },
    #[error("uid {0} is a system account")]
    SystemAccount(u32),
}

impl CutRefusal {
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Admin { user } => Some(format!("provision offboard cut {user} --admin")),
            Self::TooMany { number, all, .. } => {
                let percent = (number * 100).div_ceil(*all);
                Some(format!("provision apply --max-cut-percent {percent}"))
            }
            Self::IdentityInUse { user, .. } => {
                Some(format!("for a rename, offboard {user} first"))
            }
            Self::SharedUid { others, .. } => {
                let other = others.first().map_or("NAME", String::as_str);
                Some(format!("give one of them another uid first: usermod --uid NUMBER {other}"))
            }
            Self::MembersUnknown(_) | Self::EmptyRoster | Self::SystemAccount(_) => None,
        }
    }
}
