import Glibc
import JSON
import PMAPI
import PMClient
import PMModel
import PMSystem

/// A copy of what a package manager changes, so that an install that fails or is killed changes nothing.
///
/// Normally the package manager works in the copy, which then changes places with the original. With workspaces or packages
/// from folders, whose relative paths count from the project, it works in the original, and the copy goes back when it fails.
/// While the places change, a file says which copy belongs where, and the next command finishes a change that was killed.
struct PackageStage {
    /// The folder of the packages.
    let folder: String
    /// What is there only during a change.
    private var place: String { folder + "/.pm-packages" }
    /// The copy. npm takes the name of the folder for that of a package.json without one.
    var copy: String { place + "/copy/" + Paths.name(of: folder) }
    private var order: String { place + "/order" }
    /// Where the package manager works.
    private(set) var work: String

    /// What is swapped.
    private static let items = [
        "node_modules", "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml",
    ]
    /// What is only read.
    private static let settings = [".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn", ".pnpmfile.cjs", "pnpm-workspace.yaml"]

    /// Finishes what was interrupted, and copies.
    init(_ folder: String) throws(APIError) {
        self.folder = folder
        work = folder
        try reporting("prepare \(folder)") { () throws(SystemError) in
            try Files.makeDirectories(folder, mode: 0o755)
            try finish()
            try discard()
            guard try Files.entry(folder + "/node_modules")?.kind != .link else {
                throw SystemError("replace", folder + "/node_modules, which is a link", code: ENOTDIR)
            }
            try Files.makeDirectories(copy, mode: 0o755)
            try Files.replace(place + "/.gitignore", with: Array("*\n".utf8))
            for item in Self.items + Self.settings where try Files.entry("\(folder)/\(item)") != nil {
                try Self.tool("cp", ["-a", "--", "\(folder)/\(item)", copy + "/"])
            }
        }
        let manifest = try PackageFolder.manifest(in: folder)
        if Self.needsPlace(manifest) {
            try reporting("prepare \(folder)", writeOrder)
        } else {
            work = copy
        }
        if manifest == nil {
            try reporting("prepare \(folder)") { () throws(SystemError) in
                try Files.replace(copy + "/package.json", with: Array("{\n  \"private\": true\n}\n".utf8))
                if chmod(copy + "/package.json", 0o644) != 0 { throw .last("chmod", copy) }
            }
        }
    }

    /// True for a package.json with paths that count from its folder.
    static func needsPlace(_ manifest: JSONValue?) -> Bool {
        guard let manifest else { return false }
        if manifest["workspaces"] != nil { return true }
        let kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides"]
        return kinds.contains { kind in
            (manifest[kind]?.object ?? JSONObject()).contains { member in
                let text = member.value.string ?? ""
                return ["file:", "link:", "portal:", "workspace:", ".", "/", "~/"].contains { text.hasPrefix($0) }
            }
        }
    }

    /// Takes the change: the copy then holds what was there before.
    func commit() throws(APIError) {
        try reporting("replace the packages of \(folder)") { () throws(SystemError) in
            if work == copy {
                try writeOrder()
                try finish()
            } else {
                try Files.remove(order)
            }
        }
    }

    /// Puts back what was there before, after `commit` or instead of it.
    func revert(isCommitted: Bool) throws(APIError) {
        try reporting("put back the packages of \(folder)") { () throws(SystemError) in
            if isCommitted { try writeOrder() }
            try finish()
            try discard()
        }
    }

    /// Removes the copy.
    func close() throws(APIError) {
        try reporting("remove \(place)") { () throws(SystemError) in try discard() }
    }

    /// Notes that the content of the copy belongs into the folder: the identity of each, 0 for what is not there.
    private func writeOrder() throws(SystemError) {
        var lines = ""
        for item in Self.items { lines += "\(try Files.entry("\(copy)/\(item)")?.inode ?? 0) \(item)\n" }
        try Files.replace(order, with: Array(lines.utf8))
    }

    /// Carries out what was noted, from wherever it was interrupted.
    private func finish() throws(SystemError) {
        guard try Files.entry(order) != nil else { return }
        for line in String(decoding: try Files.read(order), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let wanted = UInt64(words[0]), Self.items.contains(String(words[1])) else {
                continue
            }
            if try Files.entry("\(folder)/\(words[1])")?.inode ?? 0 != wanted { try swap(String(words[1])) }
        }
        try Files.remove(order)
    }

    private func swap(_ item: String) throws(SystemError) {
        let (there, here) = ("\(folder)/\(item)", "\(copy)/\(item)")
        guard try Files.entry(there) != nil else { return try Files.move(here, to: there) }
        guard try Files.entry(here) != nil else { return try Files.move(there, to: here) }
        do throws(SystemError) {
            try Files.exchange(there, here)
        } catch  where error.code == EINVAL || error.code == ENOSYS {
            try Files.move(there, to: here + ".before")
            try Files.move(here, to: there)
            try Files.move(here + ".before", to: here)
        }
    }

    private func discard() throws(SystemError) {
        if try Files.entry(place) != nil { try Self.tool("rm", ["-rf", "--", place]) }
    }

    /// Runs a program of coreutils.
    private static func tool(_ program: String, _ words: [String]) throws(SystemError) {
        let variables = ProcessEnvironment.variables.map { "\($0.name)=\($0.value)" }
        let child = ChildProcess(path: program, arguments: words, environment: variables)
        let status = try ChildProcess.wait(for: try child.start())
        if status != 0 { throw SystemError(program, words.last ?? "", code: EIO) }
    }

    private func reporting(_ what: String, _ body: () throws(SystemError) -> Void) throws(APIError) {
        do throws(SystemError) {
            try body()
        } catch {
            throw APIError(error, doing: what)
        }
    }
}
