internal import CPMLinux
internal import Glibc

/// Limits of processes that run already (prlimit(2)).
public enum ProcessLimit {
    /// Sets the number of files that each of these processes may open. One that has ended meanwhile needs none.
    ///
    /// - Throws: `SystemError` with operation `prlimit`: EPERM for a value above the process's own, without the right to raise it.
    public static func setOpenFiles(_ count: Int, of processes: [Int32]) throws(SystemError) {
        for process in processes {
            do throws(SystemError) {
                _ = try valueOrNegated("prlimit", "RLIMIT_NOFILE", pm_process_set_open_files(process, UInt64(count)))
            } catch {
                if error.code != ESRCH { throw error }
            }
        }
    }
}
