import Glibc
import PMSystem

/// Removes files whose space is given back piece by piece: freeing ten megabytes at once takes a millisecond or more, in
/// which nobody is served.
///
/// The name is gone at once. What is not given back yet when the next file comes, or when this process ends, the kernel
/// frees with the descriptor.
final class SpaceReclaimer {
    static let piece = 512 << 10

    private struct Unnamed: ~Copyable {
        let file: OwnedFD
        var size: Int
        let path: String
    }

    private var unnamed: Unnamed?

    /// True when there is space to give back.
    var hasWork: Bool { unnamed != nil }

    /// Removes a file of so many bytes; no error when it does not exist.
    func remove(_ path: String, size: Int) throws(SystemError) {
        unnamed = nil
        // Where it cannot be opened it is freed at once.
        let file = size > Self.piece ? try? OwnedFD.open(path, O_WRONLY | O_NOFOLLOW) : nil
        try Files.remove(path)
        if let file { unnamed = Unnamed(file: file, size: size, path: path) }
    }

    /// Gives back one piece.
    func step() {
        guard var current = unnamed.take() else { return }
        current.size -= Self.piece
        guard current.size > 0 else { return }
        do throws(SystemError) {
            try FileCalls.truncate(current.file, to: current.size, current.path)
            unnamed = consume current
        } catch {
            // The kernel frees the rest now, with the descriptor.
        }
    }
}
