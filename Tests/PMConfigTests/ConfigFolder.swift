import Glibc
import PMConfig
import PMSystem

/// A folder of its own for one configuration, gone at the end.
final class ConfigFolder: Sendable {
    let path: String
    var file: String { path + "/.pm.config.json" }

    init(_ text: String? = nil) throws {
        // In memory where possible: hundreds of fsync(2) on a slow disk would take minutes.
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(base)/pm-config-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let text { try put(text) }
    }

    deinit {
        // What a test left behind does not matter any more.
        for name in (try? Files.list(path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }

    func put(_ text: String, at name: String = ".pm.config.json") throws {
        let file = try OwnedFD.open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.write(text.utf8, to: file.raw, named: name)
    }

    func text(_ name: String = ".pm.config.json") throws -> String {
        String(decoding: try Files.read(path + "/" + name), as: UTF8.self)
    }

    func store() throws -> ConfigStore { try ConfigStore(path: file) }
}
