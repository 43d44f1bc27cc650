import Glibc
import PMModel
import PMSystem

/// The source files of a package, as they were last looked at, and a watch that tells when to look again.
final class SourceWatch {
    /// The folder that is watched with those below it.
    let folder: String
    private let watch: DirectoryWatch
    private var known: [String: Version] = [:]

    /// What tells one content of a file from another.
    private struct Version: Equatable {
        let inode: UInt64
        let size: Int64
        let modified: Int64
    }

    private static let endings = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"]
    // Services write other JSON, and must not be started again for it.
    private static let names: Set<String> = ["commands.json", "package.json"]
    private static let mostFolders = 1024
    private static let mostFiles = 16384

    /// Watches the package of a program or of a folder: from the nearest package.json on that is not above `root`, else the
    /// program's own folder.
    ///
    /// - Throws: `SystemError` when the kernel watches no more.
    init(packageOf entry: String, inside root: String) throws(SystemError) {
        let isFolder = try Files.status(entry)?.kind == .directory
        let own = isFolder ? entry : Paths.directory(of: entry)
        folder = try Self.package(of: own, inside: root) ?? own
        watch = try DirectoryWatch()
        known = try scan()
    }

    /// The number to poll: it is readable when files may have changed.
    var raw: Int32 { watch.raw }

    /// True when a source file was made, changed or removed since the last look.
    ///
    /// - Throws: `SystemError` when the folder cannot be read.
    func hasChanged() throws(SystemError) -> Bool {
        guard isReadable(within: 0) else { return false }
        // An editor replaces a file in several steps, and a compiler writes many: the last one counts.
        var looks = 0
        repeat {
            watch.drain()
            looks += 1
        } while looks < Self.mostLooks && isReadable(within: Self.quiet)
        let now = try scan()
        defer { known = now }
        return now != known
    }

    private static let quiet: Int32 = 50  // milliseconds
    private static let mostLooks = 20

    private func isReadable(within milliseconds: Int32) -> Bool {
        var set = pollfd(fd: watch.raw, events: Int16(POLLIN), revents: 0)
        return poll(&set, 1, milliseconds) > 0
    }

    private static func package(of folder: String, inside root: String) throws(SystemError) -> String? {
        var directory = folder
        while Paths.isInside(directory, root) {
            if try Files.status(directory + "/package.json") != nil { return directory }
            guard directory != "/" else { break }
            directory = Paths.directory(of: directory)
        }
        return nil
    }

    /// The source files; watches the folders on its way, new ones too.
    private func scan() throws(SystemError) -> [String: Version] {
        var files: [String: Version] = [:]
        var open = [folder]
        var folders = 0
        while let directory = open.popLast(), folders < Self.mostFolders {
            folders += 1
            do throws(SystemError) {
                try watch.add(directory)
                for name in try Files.list(directory) where !name.hasPrefix(".") && name != "node_modules" {
                    let path = "\(directory)/\(name)"
                    guard let entry = try Files.entry(path) else { continue }
                    if entry.kind == .directory { open.append(path) }
                    guard entry.kind == .file, Self.isSource(name), files.count < Self.mostFiles else { continue }
                    files[path] = Version(inode: entry.inode, size: entry.size, modified: entry.modified)
                }
            } catch {
                // A folder may be removed while it is looked at, and one of others be closed: nothing there is a source then.
                guard [ENOENT, ENOTDIR, EACCES].contains(error.code) else { throw error }
            }
        }
        return files
    }

    private static func isSource(_ name: String) -> Bool {
        names.contains(name) || endings.contains(where: name.hasSuffix)
    }
}
