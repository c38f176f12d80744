"""Certificates (缴存证明, 异地贷款缴存使用证明) as people get them: their facts in words, the PDF, and the tickets that
fetch it. The core system issues and verifies; nothing here changes what it said."""
