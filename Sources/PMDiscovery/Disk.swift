internal import Glibc
internal import PMSystem

/// The questions of discovery to the file system.
enum Disk {
    /// The entry at a path.
    enum Look: Equatable {
        case file, directory, other
        case nothing(reason: String)
    }

    static let mapHint = "\"pm map NAME PATH\" registers a program without a package"

    /// A package's description is a few kilobytes; a file this long is something else.
    static let limit = 8 << 20

    static func look(at path: String) -> Look {
        do throws(SystemError) {
            guard let status = try Files.status(path) else {
                return .nothing(reason: "there is no such file or folder")
            }
            switch status.kind {
            case .file: return .file
            case .directory: return .directory
            case .socket, .link, .other: return .other
            }
        } catch {
            return .nothing(reason: error.reason)
        }
    }

    /// The whole content of a file.
    static func read(_ path: String) throws(DiscoveryError) -> [UInt8] {
        // Opening a pipe or a device may wait or do things.
        switch look(at: path) {
        case .file: break
        case .directory: throw DiscoveryError(.invalid, [DiscoveryProblem("is a folder", file: path)])
        case .other: throw DiscoveryError(.invalid, [DiscoveryProblem("is not a regular file", file: path)])
        case .nothing(let reason): throw DiscoveryError(.missing, [DiscoveryProblem(reason, file: path)])
        }
        do throws(SystemError) {
            return try Files.read(path, limit: limit)
        } catch {
            let reason = error.code == EFBIG ? "is longer than \(limit >> 20) MiB" : error.reason
            throw DiscoveryError(.invalid, [DiscoveryProblem(reason, file: path)])
        }
    }
}
