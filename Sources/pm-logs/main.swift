import Glibc
import PMJournal

exit(LogsProgram.main())
