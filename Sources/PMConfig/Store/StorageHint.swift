internal import Glibc
internal import PMSystem

/// The next step after a failed write.
enum StorageHint {
    static func text(for error: SystemError) -> String? {
        switch error.code {
        case ENOSPC, EDQUOT: "make room on that file system; nothing was changed"
        case EROFS: "the file system is mounted read-only; nothing was changed"
        case EACCES, EPERM: "run pm as the user who owns the file and may write to its folder; nothing was changed"
        case EMFILE, ENFILE, ENOMEM: "\(MachineLimit(error.code)?.hint ?? ""); nothing was changed"
        case EIO: "the disk reports an error; nothing was changed"
        case ENOENT: "its folder does not exist"
        default: nil
        }
    }

    /// The next step when the folders of a daemon cannot be made.
    static func folders(for error: SystemError) -> String {
        switch error.code {
        case ENOSPC, EDQUOT: "make room on that file system, or set PM_STATE_DIR"
        default: "run pm as the user who may write there, or set PM_STATE_DIR"  // errno is a number
        }
    }
}

extension ConfigError {
    /// An error of the file system: `forbidden` where this user may not, else `storage`.
    init(_ cause: SystemError, _ message: String, hint: String? = nil) {
        let isForbidden = [EACCES, EPERM, EROFS].contains(cause.code)
        self.init(isForbidden ? .forbidden : .storage, message, hint: hint)
    }
}
