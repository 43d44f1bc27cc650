internal import PMModel
internal import PMSystem

/// Working copies of version control systems. A file in one belongs to a project and its people, and a
/// daemon writes nothing of its own into it.
public enum VersionControl {
    /// The entries that mark a working copy: Git, Mercurial, Jujutsu, Subversion, Bazaar, Darcs, Pijul, Fossil.
    private static let marks = [".git", ".hg", ".jj", ".svn", ".bzr", "_darcs", ".pijul", ".fslckout", "_FOSSIL_"]

    /// True when the file's folder or one above it is a working copy.
    public static func holds(_ file: String) -> Bool {
        holds(file) { path in
            // What cannot be looked at is no mark: the system of version control could not read it either.
            (try? Files.status(path)) != nil
        }
    }

    /// The same, by other eyes.
    static func holds(_ file: String, exists: (String) -> Bool) -> Bool {
        var directory = Paths.directory(of: file)
        while true {
            if marks.contains(where: { exists(Paths.resolve($0, from: directory)) }) { return true }
            guard directory != "/", directory != "." else { return false }
            directory = Paths.directory(of: directory)
        }
    }
}
