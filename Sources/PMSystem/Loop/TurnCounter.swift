import CPMLinux
import Glibc

/// Counts the turns of the loop in a page that pm-init sees, so that it can tell a loop that hangs from an idle one.
@PMActor
final class TurnCounter {
    /// Memory of the page, for pm-init to look at.
    let page: SharedFD
    private let count: UnsafeMutablePointer<UInt64>

    init() throws(SystemError) {
        var shared = pm_shared_page()
        _ = try valueOrNegated("memfd_create", "", pm_memory_share_page(&shared))
        page = SharedFD(owning: shared.fd)
        guard let memory = shared.memory else { throw SystemError("mmap", "", code: ENOMEM) }
        count = memory.bindMemory(to: UInt64.self, capacity: 1)
    }

    /// A turn begins. A plain store: who reads it looks a second later.
    func increment() {
        count.pointee &+= 1
    }
}
