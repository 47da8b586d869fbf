import { Module } from '@nestjs/common';
import { DatabaseModule } from '../../database/database.module';
import { PictureMaker } from '../../images/picture-maker';
import { StorageModule } from '../../storage/storage.module';
import { PicturesService } from './pictures.service';
import { PublicPictures } from './public-pictures.service';

/** Pictures for letters. Apart from messages, so that only processes that take pictures load what makes them. */
@Module({
  imports: [DatabaseModule, StorageModule],
  providers: [PictureMaker, PicturesService, PublicPictures],
  exports: [PicturesService, PublicPictures],
})
export class PicturesModule {}
