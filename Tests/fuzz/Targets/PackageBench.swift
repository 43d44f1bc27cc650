import Glibc
import PMDiscovery
import PMModel
import PMSystem

/// A folder with a package whose description is the input.
final class PackageBench {
    private let root: String

    private static let package = #"{"name":"p","commands":{"one":"commands.json","two":"lib/a.js"}}"#

    init(directory: String) throws {
        var template = Array("\(directory)/pm-fuzz.XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw SystemError("mkdtemp", directory, code: errno) }
        root = String(cString: path)
        try Files.makeDirectories(root + "/lib")
        try Files.makeDirectories(root + "/packages/member")
        for name in ["lib/a.js", "index.js", "tool", "packages/member/index.js"] { try write("", name) }
        try write(#"{"name":"member"}"#, "packages/member/package.json")
    }

    deinit {
        let folders = ["packages/member", "packages", "lib", ""]
        let files = ["lib/a.js", "index.js", "tool", "packages/member/index.js", "packages/member/package.json"]
        for name in files + ["package.json", "commands.json"] { unlink(root + "/" + name) }
        for name in folders { rmdir(root + "/" + name) }
    }

    func check(package input: [UInt8]) throws(Finding) {
        try mustWork("files can be written") {
            unlink(root + "/commands.json")
            try write(input, "package.json")
        }
        try check()
    }

    func check(commands input: [UInt8]) throws(Finding) {
        try mustWork("files can be written") {
            try write(Array(Self.package.utf8), "package.json")
            try write(input, "commands.json")
        }
        try check()
    }

    private func check() throws(Finding) {
        let first = Result(of: { () throws(DiscoveryError) in try Discovery.discover(root, from: "/") })
        let second = Result(of: { () throws(DiscoveryError) in try Discovery.discover(root, from: "/") })
        try require(first == second, "discovery finds the same again")
        switch first {
        case .success(let discovery): try check(discovery)
        case .failure(let error):
            try require(!error.problems.isEmpty, "discovery fails for a reason")
            try check(error.problems)
        }
    }

    private func check(_ discovery: Discovery) throws(Finding) {
        let containers = discovery.containers
        try require(!containers.isEmpty, "what is found is something")
        try require(Set(containers.map(\.name)).count == containers.count, "names are unique")
        for container in containers {
            try require((try? UnitName(container.name)) != nil, "a name can be a unit's")
            guard let path = Paths.path(ofFileURL: container.definition.path) else {
                throw Finding("a path is a file URL")
            }
            try require(path.hasPrefix(root + "/") && access(path, F_OK) == 0, "a program is a file in the package")
        }
        try check(discovery.problems + discovery.warnings)
    }

    private func check(_ problems: [DiscoveryProblem]) throws(Finding) {
        for problem in problems {
            try require(problem.file.hasPrefix(root), "a problem is in the package")
            try require((problem.line ?? 1) >= 1 && (problem.column ?? 1) >= 1, "a place is counted from 1")
            try require(!problem.message.isEmpty, "a problem has a text")
        }
    }

    private func write(_ text: String, _ name: String) throws {
        try write(Array(text.utf8), name)
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        let path = root + "/" + name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", path, code: errno) }
        defer { close(descriptor) }
        guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
            throw SystemError("write", path, code: errno)
        }
    }
}
