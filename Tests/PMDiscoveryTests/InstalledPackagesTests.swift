import PMDiscovery
import PMModel
import PMSystem
import Testing

/// The packages that Debian installs for Node: real ones, of many authors and ages.
private enum Installed {
    static let root = "/usr/share/nodejs"

    static func folders() -> [String] {
        var folders: [String] = []
        var pending = [root]
        while let folder = pending.popLast() {
            // What may not be listed is not looked at.
            for name in (try? Files.list(folder)) ?? [] {
                let path = folder + "/" + name
                if name == "package.json" { folders.append(folder) }
                // An error means that it is no link; links lead to folders that are walked anyway.
                let isLink = (try? Files.linkTarget(path)) != nil
                if !isLink, (try? Files.status(path))??.kind == .directory { pending.append(path) }
            }
        }
        return folders
    }
}

@Suite struct InstalledPackagesTests {
    static let folders = Installed.folders()

    @Test(.enabled(if: folders.count >= 200, "fewer than 200 packages in /usr/share/nodejs"))
    func `every installed package is discovered or fails cleanly`() throws {
        var found = 0
        for folder in Self.folders {
            do {
                let discovery = try Discovery.discover(folder, from: "/")
                found += 1
                for container in discovery.containers {
                    let path = try #require(Paths.path(ofFileURL: container.definition.path))
                    #expect(try Files.status(path)?.kind == .file)
                    #expect(throws: Never.self) { try UnitName(container.name) }
                    #expect(Paths.isInside(path, folder))
                }
            } catch let error as DiscoveryError {
                #expect(!error.problems.isEmpty, "\(folder)")
                for problem in error.problems {
                    #expect(problem.description.hasPrefix(folder + "/"), "\(problem)")
                    #expect(!problem.message.isEmpty)
                }
            }
        }
        // Most have a main; were it a few, discovery would be what is broken.
        #expect(found * 2 > Self.folders.count, "\(found) of \(Self.folders.count)")
    }
}
