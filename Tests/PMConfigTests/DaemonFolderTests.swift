import Glibc
import PMConfig
import PMSystem
import Testing

@Suite struct DaemonFolderTests {
    /// The location of the user's daemon with everything below a folder of the test.
    private func location(_ folder: ConfigFolder) throws -> DaemonLocation {
        let environment = [
            "HOME": folder.path, "XDG_RUNTIME_DIR": folder.path + "/run", "PM_STATE_DIR": folder.path + "/state",
        ]
        let context = LocationContext(environment: environment, workingDirectory: "/", userID: geteuid())
        return try #require(try DaemonLocation.find(.user, in: context))
    }

    private func remove(_ folder: ConfigFolder) {
        for name in ["run/pm", "run", "state"] where rmdir(folder.path + "/" + name) != 0 {
            unlink(folder.path + "/" + name)
        }
    }

    @Test func `the directories are made for this user alone`() throws {
        let folder = try ConfigFolder()
        defer { remove(folder) }
        let location = try location(folder)
        try location.makeDirectories(userID: geteuid())
        try location.makeDirectories(userID: geteuid())
        #expect(try Files.status(folder.path + "/state")?.mode == 0o700)
        #expect(try Files.status(folder.path + "/run/pm")?.mode == 0o700)
    }

    @Test func `a socket directory that others can open, own or have linked is refused`() throws {
        let folder = try ConfigFolder()
        defer { remove(folder) }
        let location = try location(folder)
        try location.checkSocketDirectory(userID: geteuid())
        try location.makeDirectories(userID: geteuid())
        let stranger = #expect(throws: ConfigError.self) { try location.checkSocketDirectory(userID: geteuid() + 1) }
        #expect(stranger?.description.hasSuffix("is not safe: it belongs to user \(geteuid())") == true)
        chmod(folder.path + "/run/pm", 0o750)
        let open = #expect(throws: ConfigError.self) { try location.checkSocketDirectory(userID: geteuid()) }
        #expect(open?.description.hasSuffix("it can be opened by other users") == true)
        rmdir(folder.path + "/run/pm")
        symlink(folder.path + "/state", folder.path + "/run/pm")
        let linked = #expect(throws: ConfigError.self) { try location.makeDirectories(userID: geteuid()) }
        #expect(linked?.description.hasSuffix("it is not a directory") == true)
    }

    @Test func `directories that cannot be made are told`() throws {
        let folder = try ConfigFolder("{}")
        let environment = ["HOME": folder.path, "PM_STATE_DIR": folder.file + "/state"]
        let context = LocationContext(environment: environment, workingDirectory: "/", userID: geteuid())
        let location = try #require(try DaemonLocation.find(.file(folder.file), in: context))
        let error = #expect(throws: ConfigError.self) { try location.makeDirectories(userID: geteuid()) }
        #expect(error?.description.hasSuffix("\(folder.file)/state: Not a directory") == true)
    }
}
