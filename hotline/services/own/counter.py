"""The counter with all its skills."""

from __future__ import annotations

from hotline.audit_store import Audit
from hotline.domain.clock import utc_now
from hotline.fund_system import FundSystem
from hotline.identification import Identification
from hotline.private_store import Drafts, Submissions
from hotline.services.own.apply import Apply
from hotline.services.own.balance import Balance
from hotline.services.own.businesses.makeup import Makeup
from hotline.services.own.businesses.prepay import Prepay
from hotline.services.own.businesses.transfer import TransferIn
from hotline.services.own.businesses.withdrawals import WithdrawLeave, WithdrawRent, WithdrawRetire
from hotline.services.own.calculate import Calculate
from hotline.services.own.cancel import CancelApplication
from hotline.services.own.certificate import CertificateDownload, CertificateLinks
from hotline.services.own.contributions import ContributionStatus
from hotline.services.own.desk import OwnDesk
from hotline.services.own.filing import Filing
from hotline.services.own.ledger import Ledger
from hotline.services.own.limits import Limits
from hotline.services.own.loan import LoanStatus
from hotline.services.own.may_i import MayI
from hotline.services.own.progress import Progress
from hotline.services.own.verified import Verified


def build_desk(
    fund: FundSystem,
    identification: Identification,
    *,
    records: tuple[Drafts, Submissions],
    links: CertificateLinks,
    limits: Limits,
    audit: Audit,
) -> OwnDesk:
    """Every skill on own data, at one counter."""
    drafts, submissions = records
    businesses = (WithdrawRent(), WithdrawRetire(), WithdrawLeave(), TransferIn(), Prepay(), Makeup())
    filing = Filing(fund, drafts, submissions, audit=audit)
    apply = Apply(fund, drafts, filing=filing, limits=limits, audit=audit, businesses=businesses)
    skills = (
        Balance(fund),
        Ledger(fund),
        ContributionStatus(fund),
        LoanStatus(fund),
        Progress(fund, submissions),
        CertificateDownload(fund, links),
        Calculate(fund),
        MayI(fund),
        apply,
        CancelApplication(fund, audit=audit),
        Verified(submissions),
    )
    return OwnDesk(skills, identification=identification, audit=audit, clock=utc_now, unfinished=apply.unfinished)
