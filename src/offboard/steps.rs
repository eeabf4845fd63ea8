//! The steps of each stage, in their order: the one list that is planned, run and journalled (pure).

use serde::{Serialize, Serializer};

/// A step of a stage.
pub trait Step: Copy {
    /// Its name in the journal, after `USER/`, and in messages.
    fn id(self) -> &'static str;
    /// What it does, as an instruction.
    fn summary(self) -> &'static str;
}

/// The steps of a cut. All of them can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutStep {
    /// Nothing of the user's sees the cut, or acts on it, from here on.
    StopProcesses,
    LockLogin,
    SaveSessions,
    KillProcesses,
    /// Before the processes are ended: no set-id file in it begins another one.
    CloseHome,
    EndLinger,
    MaskUnits,
    EndProcesses,
    MoveJobs,
    MoveTokens,
    LeaveGroups,
    RevokeCluster,
    /// Catches what cron, at or a login started before the login was locked.
    CheckAgain,
    FindSetIdFiles,
    RecordCut,
}

impl CutStep {
    pub const ALL: [Self; 15] = [
        Self::StopProcesses,
        Self::LockLogin,
        Self::SaveSessions,
        Self::KillProcesses,
        Self::CloseHome,
        Self::EndLinger,
        Self::MaskUnits,
        Self::EndProcesses,
        Self::MoveJobs,
        Self::MoveTokens,
        Self::LeaveGroups,
        Self::RevokeCluster,
        Self::CheckAgain,
        Self::FindSetIdFiles,
        Self::RecordCut,
    ];

    /// Those that take the access away: they wait for no other run.
    pub const URGENT: [Self; 6] = [
        Self::StopProcesses,
        Self::LockLogin,
        Self::SaveSessions,
        Self::KillProcesses,
        Self::CloseHome,
        Self::EndProcesses,
    ];
}

impl Step for CutStep {
    fn id(self) -> &'static str {
        match self {
            Self::StopProcesses => "stop",
            Self::SaveSessions => "save",
            Self::KillProcesses => "kill",
            Self::LockLogin => "lock",
            Self::EndLinger => "linger",
            Self::MaskUnits => "units",
            Self::MoveJobs => "jobs",
            Self::MoveTokens => "tokens",
            Self::LeaveGroups => "groups",
            Self::EndProcesses => "processes",
            Self::CloseHome => "home",
            Self::FindSetIdFiles => "set-id",
            Self::RevokeCluster => "cluster",
            Self::CheckAgain => "again",
            Self::RecordCut => "record",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::StopProcesses => "stop every process, and close the lobby",
            Self::SaveSessions => "save the sessions a last time",
            Self::KillProcesses => "kill the processes that run now",
            Self::LockLogin => "lock the login",
            Self::EndLinger => "end lingering",
            Self::MaskUnits => "stop, disable and mask units",
            Self::MoveJobs => "move the crontab and at jobs away",
            Self::MoveTokens => "move the service environments away",
            Self::LeaveGroups => "remove from groups",
            Self::EndProcesses => "end every session and process",
            Self::CloseHome => "close the home",
            Self::FindSetIdFiles => "look for files with a set-id bit",
            Self::RevokeCluster => "revoke cluster access",
            Self::CheckAgain => "check again for jobs and processes",
            Self::RecordCut => "record the cut",
        }
    }
}

/// The steps that undo a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UncutStep {
    RemoveUnfinishedArchive,
    PutHomeBack,
    JoinGroups,
    UnmaskUnits,
    PutFilesBack,
    RestoreLogin,
    RestoreLinger,
    RestoreCluster,
    StartUnits,
    RetireRecord,
}

impl UncutStep {
    pub const ALL: [Self; 10] = [
        Self::RemoveUnfinishedArchive,
        Self::PutHomeBack,
        Self::JoinGroups,
        Self::UnmaskUnits,
        Self::PutFilesBack,
        Self::RestoreLogin,
        Self::RestoreLinger,
        Self::RestoreCluster,
        Self::StartUnits,
        Self::RetireRecord,
    ];
}

impl Step for UncutStep {
    fn id(self) -> &'static str {
        match self {
            Self::RemoveUnfinishedArchive => "archiving",
            Self::PutHomeBack => "home",
            Self::JoinGroups => "groups",
            Self::UnmaskUnits => "units",
            Self::PutFilesBack => "files",
            Self::RestoreLogin => "unlock",
            Self::RestoreLinger => "linger",
            Self::RestoreCluster => "cluster",
            Self::StartUnits => "start",
            Self::RetireRecord => "record",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::RemoveUnfinishedArchive => "remove an unfinished archive",
            Self::PutHomeBack => "put the home back",
            Self::JoinGroups => "put back into groups",
            Self::UnmaskUnits => "unmask and enable units",
            Self::PutFilesBack => "put jobs and service environments back",
            Self::RestoreLogin => "restore the login",
            Self::RestoreLinger => "restore lingering",
            Self::RestoreCluster => "restore cluster access",
            Self::StartUnits => "start units",
            Self::RetireRecord => "retire the record of the cut",
        }
    }
}

/// The steps that archive a home. `uncut` undoes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveStep {
    RemoveUnfinishedArchive,
    FreezeHome,
    WriteArchive,
}

impl ArchiveStep {
    pub const ALL: [Self; 3] =
        [Self::RemoveUnfinishedArchive, Self::FreezeHome, Self::WriteArchive];
}

impl Step for ArchiveStep {
    fn id(self) -> &'static str {
        match self {
            Self::RemoveUnfinishedArchive => "clear",
            Self::FreezeHome => "freeze",
            Self::WriteArchive => "archive",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::RemoveUnfinishedArchive => "remove an unfinished archive",
            Self::FreezeHome => "freeze the home",
            Self::WriteArchive => "archive the home, read it back and compare",
        }
    }
}

/// The steps that remove an account. Nothing undoes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveStep {
    RetireUid,
    RemoveAccount,
    RemoveHome,
    UnmaskUnits,
    RetireRecord,
}

impl RemoveStep {
    pub const ALL: [Self; 5] = [
        Self::RetireUid,
        Self::RemoveAccount,
        Self::RemoveHome,
        Self::UnmaskUnits,
        Self::RetireRecord,
    ];
}

impl Step for RemoveStep {
    fn id(self) -> &'static str {
        match self {
            Self::RetireUid => "tombstone",
            Self::RemoveAccount => "account",
            Self::RemoveHome => "home",
            Self::UnmaskUnits => "units",
            Self::RetireRecord => "record",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::RetireUid => "record that the uid is never reused",
            Self::RemoveAccount => "remove the account",
            Self::RemoveHome => "remove the frozen home",
            Self::UnmaskUnits => "unmask units",
            Self::RetireRecord => "retire the record of the cut",
        }
    }
}

/// What a plan lists for a user who left: the steps of the cut, then the later stages as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedStep {
    Cut(CutStep),
    Archive,
    Remove,
}

impl PlannedStep {
    /// The steps of a cut.
    pub fn cut() -> Vec<Self> {
        CutStep::ALL.map(Self::Cut).to_vec()
    }

    /// Whether `uncut` undoes it.
    pub fn is_reversible(self) -> bool {
        self != Self::Remove
    }
}

impl Step for PlannedStep {
    fn id(self) -> &'static str {
        match self {
            Self::Cut(step) => step.id(),
            Self::Archive => "archive",
            Self::Remove => "remove",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::Cut(step) => step.summary(),
            Self::Archive => "archive the home",
            Self::Remove => "remove the account and the archived home",
        }
    }
}

/// As its id.
impl Serialize for PlannedStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_journal_line_names_one_step_of_its_stage() {
        let ids = |ids: Vec<&'static str>| {
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        };
        ids(CutStep::ALL.map(Step::id).to_vec());
        ids(UncutStep::ALL.map(Step::id).to_vec());
        ids(ArchiveStep::ALL.map(Step::id).to_vec());
        ids(RemoveStep::ALL.map(Step::id).to_vec());
    }
}
