import { Get, Inject, Post } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import type { Viewer } from '../../domain/permissions';
import { ProofLetters } from '../../features/inbound/proof-letters.service';
import { Allows, CurrentViewer } from '../../http/viewer';
import { page, redirect, type WebAnswer } from '../answers';
import { WebController } from '../web-controller';
import { ProofPage } from './proof.page';

/** Proof letters of the SMTP account. */
@Allows('account.prove')
@WebController('status/proof')
export class ProofWebController {
  constructor(
    private readonly proofs: ProofLetters,
    @Inject(CONFIG) private readonly config: Pick<Config, 'bounceAddress'>,
  ) {}

  @Get()
  async show(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    const proof = await this.proofs.last(viewer);
    const mayComeBack = this.config.bounceAddress !== '';
    return page((t) => t.proof.title, <ProofPage proof={proof} mayComeBack={mayComeBack} />);
  }

  @Post()
  async send(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    await this.proofs.start(viewer);
    return redirect('/status/proof');
  }
}
