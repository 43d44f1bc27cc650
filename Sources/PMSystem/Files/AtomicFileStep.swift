/// The steps of a durable write, in their order; a fault can be put before each of them.
public enum AtomicFileStep: String, Sendable, CaseIterable {
    /// The lock file beside the file is opened or made.
    case openLock
    /// The lock is tried.
    case lock
    /// The file at the path is read.
    case read
    /// The temporary file is made in the same directory.
    case create
    /// The temporary file gets the owner of the old file.
    case setOwner
    /// The temporary file gets the permissions of the old file.
    case setMode
    /// The bytes are written to the temporary file.
    case write
    /// The temporary file is made durable.
    case sync
    /// The old file is made durable before it is kept as the previous generation.
    case syncOld
    /// The old file gets a second name.
    case linkPrevious
    /// That second name becomes the previous generation.
    case renamePrevious
    /// The directory with the previous generation is made durable.
    case syncPrevious
    /// The file is compared once more with what was read.
    case check
    /// The old and the new file change places.
    case exchange
    /// The displaced file is compared with the one that was read.
    case checkDisplaced
    /// The new file takes the place of the old one, where the file system cannot exchange.
    case replace
    /// The new file takes its place where there was none.
    case linkNew
    /// The temporary name is removed.
    case removeTemporary
    /// The directory with the new file is made durable.
    case syncDirectory
    /// The lock file is removed.
    case removeLock
}

/// Stands before each step of a durable write: a test fails one by throwing, or stops the writer there for good.
public struct AtomicFileFaults: Sendable {
    /// Called with the step and the path it is about; what it throws is what the step fails with.
    public var before: @Sendable (AtomicFileStep, String) throws(SystemError) -> Void

    /// Makes faults of a function.
    public init(before: @escaping @Sendable (AtomicFileStep, String) throws(SystemError) -> Void) {
        self.before = before
    }

    /// No faults but those of the machine.
    public static let none = AtomicFileFaults { (_, _) throws(SystemError) in }
}

/// Why a durable write did not happen, or not surely.
public enum AtomicFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A system call failed; the old file is whole and in its place.
    case failed(SystemError)
    /// The new file is in its place, but it is not known to be on the disk: a power failure may bring the old one back.
    case notDurable(SystemError)
    /// Another writer held this lock file all the time.
    case locked(String)
    /// A program that takes no lock changed this file again and again while it was being written.
    case keepsChanging(String)

    /// Description of the failure, for people.
    public var description: String {
        switch self {
        case .failed(let error): "\(error)"
        case .notDurable(let error): "the change is made but may not survive a power failure: \(error)"
        case .locked(let lock): "another program is writing it and holds \(lock)"
        case .keepsChanging(let path): "another program keeps changing \(path)"
        }
    }
}
