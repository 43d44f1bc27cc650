import CPMLinux
import Glibc

/// A child of this process by its descriptor, which is readable once it has ended.
public final class ChildDescriptor: Sendable {
    /// The descriptor (pidfd_open(2)), to be watched.
    public let descriptor: SharedFD

    init(_ descriptor: SharedFD) { self.descriptor = descriptor }

    /// Ends it at once.
    public func kill() {
        // One that has ended needs no signal.
        _ = pm_pidfd_signal(descriptor.raw, SIGKILL)
    }

    /// Wait status of the child once it has ended; nil while it runs.
    public func reap() -> Int32? {
        var status: Int32 = 0
        return pm_pidfd_reap(descriptor.raw, &status, nil) == 0 ? status : nil
    }
}
