internal import Glibc
internal import PMSystem

/// The next step after a failed write.
enum StorageHint {
    static func text(for error: SystemError) -> String? {
        switch error.code {
        case ENOSPC, EDQUOT: "make room on that file system; nothing was changed"
        case EROFS: "the file system is mounted read-only; nothing was changed"
        case EACCES, EPERM: "run pm as the user who owns the file and may write to its folder; nothing was changed"
        case EIO: "the disk reports an error; nothing was changed"
        case ENOENT: "its folder does not exist"
        default: nil
        }
    }
}
